package io.mixt5.model;

import java.util.function.Consumer;

/** Tiny models with mixtures of experts. */
final class MixtureModels {
    private MixtureModels() {
    }

    /** 2 + 2 gated blocks, the second of each a mixture of four experts, one a token, without dropout; then changed. */
    static T5Config config(Consumer<MixtureConfig> mixtureChange, Consumer<T5Config> shapeChange) {
        T5Config shape = new T5Config();
        shape.vocabSize = 40;
        shape.dModel = 12;
        shape.dKv = 4;
        shape.dFf = 14;
        shape.numHeads = 2;
        shape.numLayers = 2;
        shape.dropoutRate = 0;
        shape.feedForwardProj = "gated-gelu";
        shape.tieWordEmbeddings = false;
        shapeChange.accept(shape);
        MixtureConfig mixture = new MixtureConfig();
        mixture.activateMoe = true;
        mixture.numLocalExperts = 4;
        mixture.numExpertsPerTok = 1;
        mixture.moeLayerStep = 2;
        mixtureChange.accept(mixture);
        return shape.with(mixture);
    }

    /** As {@link #config(Consumer, Consumer)} with the shape unchanged. */
    static T5Config config(Consumer<MixtureConfig> mixtureChange) {
        return config(mixtureChange, shape -> {});
    }
}
