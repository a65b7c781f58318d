package io.mixt5.train.roundtrip;

import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.Philox;
import io.mixt5.engine.op.Route;
import io.mixt5.model.CheckpointNaming;
import io.mixt5.model.MixtureConfig;
import io.mixt5.model.SaveOptions;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Tiny models that go to transformers, of weights that are the same to the bit on every machine. */
final class Exports {
    private static final SaveOptions SWITCH = SaveOptions.DEFAULT.withNaming(CheckpointNaming.SWITCH_TRANSFORMERS);

    /** A model and how it is written. */
    record Export(T5Config config, SaveOptions options) {
    }

    private Exports() {
    }

    /** By name. */
    static Map<String, Export> all() {
        Map<String, Export> all = new LinkedHashMap<>();
        all.put("dense-tied", new Export(dense(c -> {}), SaveOptions.DEFAULT));
        all.put("dense-gated-untied", new Export(dense(Exports::version11), SaveOptions.DEFAULT));
        all.put("dense-unequal", new Export(dense(c -> c.numDecoderLayers = 3), SaveOptions.DEFAULT));
        all.put("dense-sharded", new Export(dense(c -> {}), SaveOptions.DEFAULT.withMaxShardBytes(6000)));
        all.put("dense-float16", new Export(dense(c -> {}), SaveOptions.DEFAULT.withType(DType.F16)));
        all.put("dense-bfloat16-untied",
                new Export(dense(Exports::version11), SaveOptions.DEFAULT.withType(DType.BF16)));
        all.put("mixture-tied", new Export(mixture(c -> {}, m -> m.moeLayerStep = 2), SWITCH));
        all.put("mixture-untied-dropping", new Export(mixture(c -> c.tieWordEmbeddings = false, m -> {
            m.moeLayerStep = 1;
            m.evalCapacityPolicy = Route.Policy.CAPACITY;
            m.evalCapacityFactor = 1e-9; // so that min_capacity alone counts, as in Switch
            m.capacityGroup = MixtureConfig.Group.SEQUENCE;
            m.minCapacity = 2;
        }), SWITCH));
        all.put("mixture-sharded", new Export(mixture(c -> {}, m -> m.moeLayers = List.of(1)),
                SWITCH.withMaxShardBytes(6000)));
        return all;
    }

    private static void version11(T5Config config) {
        config.feedForwardProj = "gated-gelu";
        config.tieWordEmbeddings = false;
    }

    private static T5Config dense(Consumer<T5Config> change) {
        T5Config config = new T5Config();
        config.vocabSize = 64;
        config.dModel = 12;
        config.dKv = 4;
        config.dFf = 20;
        config.numHeads = 2;
        config.numLayers = 2;
        change.accept(config);
        return config;
    }

    private static T5Config mixture(Consumer<T5Config> change, Consumer<MixtureConfig> mixtureChange) {
        MixtureConfig mixture = new MixtureConfig();
        mixture.activateMoe = true;
        mixture.numLocalExperts = 4;
        mixture.numExpertsPerTok = 1;
        mixtureChange.accept(mixture);
        return dense(change).with(mixture);
    }

    /** The model, in which every weight matters: norms that are not 1, position biases, decisive routers. */
    private static T5Model model(T5Config config) {
        T5Model model = T5Model.random(config, Device.of("cpu"), 0);
        int stream = 0;
        for (Parameter parameter : model.parameters().all()) {
            float[] values = new float[(int) parameter.value().count()];
            boolean large = parameter.name().contains("relative_attention_bias")
                    || parameter.name().endsWith("gate.weight");
            for (int i = 0; i < values.length; i++) {
                float even = 2 * Philox.uniform(11, stream, 0, i) - 1;
                values[i] = parameter.isVector() ? 1 + even / 4 : large ? 2 * even : even / 2;
            }
            parameter.value().upload(values);
            stream++;
        }
        return model;
    }

    /**
     * Writes it into {@code directory} and gives it back as others have to find it there: itself, or, where its weights
     * were rounded, what was written.
     */
    static T5Model save(Export export, Path directory) {
        T5Model model = model(export.config());
        model.save(directory, export.options());
        if (export.options().type() == DType.F32) {
            return model;
        }
        model.close();
        return T5Model.load(directory, Device.of("cpu"));
    }
}
