package io.mixt5.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.UserException;
import io.mixt5.model.io.SafetensorsFile;
import io.mixt5.model.io.SafetensorsTensor;
import io.mixt5.model.io.SafetensorsType;
import io.mixt5.model.io.StrictJson;
import io.mixt5.model.io.UserFiles;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Reads models from Hugging Face directories: {@code config.json} and {@code model.safetensors}. */
final class Checkpoint {
    private static final String CONFIG = "config.json";
    private static final String WEIGHTS = "model.safetensors";
    private static final String EMBEDDING = "shared.weight";
    /** Names under which some checkpoints repeat the shared embedding. */
    private static final List<String> COPIES = List.of("decoder.embed_tokens.weight", "encoder.embed_tokens.weight");

    private Checkpoint() {
    }

    static T5Model load(Path directory, Device device) {
        UserFiles.requireDirectory(directory);
        ObjectNode json = StrictJson.readObject(directory.resolve(CONFIG));
        T5Config config = T5Config.of(json, directory.resolve(CONFIG));
        CheckpointNaming naming = CheckpointNaming.of(json.path("model_type").asText());
        Path weights = directory.resolve(WEIGHTS);
        try (SafetensorsFile file = SafetensorsFile.open(weights)) {
            // Newer transformers tie whatever the configuration says, so a head of its own is believed before the configuration.
            boolean scaled = config.outputScale() != 1;
            config.tieWordEmbeddings = !file.has("lm_head.weight");
            config.scaleDecoderOutputs = scaled;
            T5Model model = T5Model.blank(config, device);
            try {
                for (Parameter parameter : model.parameters().all()) {
                    SafetensorsTensor stored = file.require(naming.onDisk(parameter.name()),
                            parameter.value().shape().dims());
                    fill(parameter.value(), stored, weights);
                }
                refuseOthers(model, naming, file, weights);
                return model;
            } catch (RuntimeException e) {
                model.close();
                throw e;
            }
        }
    }

    private static void refuseOthers(T5Model model, CheckpointNaming naming, SafetensorsFile file, Path weights) {
        Set<String> own = model.parameters().all().stream().map(p -> naming.onDisk(p.name()))
                .collect(Collectors.toSet());
        for (String name : file.names()) {
            if (!own.contains(name) && !COPIES.contains(name)) {
                throw new UserException(
                        weights + " holds a tensor " + name + " that this model does not have; does its " + CONFIG
                                + " belong to it?");
            }
        }
        for (String copy : COPIES) {
            if (file.has(copy) && file.info(copy).data().mismatch(file.info(EMBEDDING).data()) >= 0) {
                throw new UserException(weights + ": tensor " + copy + " differs from " + EMBEDDING
                        + ", but encoder and decoder share one embedding here");
            }
        }
    }

    private static void fill(Tensor tensor, SafetensorsTensor stored, Path file) {
        if (stored.type() == SafetensorsType.F32) {
            tensor.upload(stored.data());
            return;
        }
        DType type = switch (stored.type()) {
            case F16 -> DType.F16;
            case BF16 -> DType.BF16;
            case F64 -> DType.F64;
            default -> throw new UserException(
                    file + ": tensor " + stored.name() + " has type " + stored.type() + ", but weights must be floats");
        };
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment floats = arena.allocate(tensor.bytes(), 64);
            for (long i = 0; i < tensor.count(); i++) {
                double value = type.load(stored.data().address() + i * type.bytes());
                floats.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
            }
            tensor.upload(floats);
        }
    }
}
