package io.mixt5.model;

import io.mixt5.engine.Parameter;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;

/** The feed-forward part of a block: one dense layer, or several experts. */
public interface FeedForward {
    /** [N, D] from x [N, D]. */
    Tensor apply(Tape tape, Tensor x, Tokens tokens);

    /**
     * A layer with new parameters.
     *
     * @param prefix of their names, up to and with {@code layer.X.}
     * @param mixture whether it is a mixture of experts, as {@link T5Config#mixture} says, or dense
     */
    static FeedForward create(Parameters parameters, String prefix, T5Config config, boolean mixture) {
        return mixture
                ? new MixtureFeedForward(parameters, prefix, config)
                : new DenseFeedForward(parameters, prefix + "DenseReluDense.", config);
    }

    /** A projection from D to F, with T5's initialisation. */
    static Parameter in(Parameters parameters, String name, T5Config config) {
        return parameters.create(name, Shape.of(config.dFf, config.dModel),
                config.initializerFactor * Math.pow(config.dModel, -0.5));
    }

    /** A projection from F to D, with T5's initialisation. */
    static Parameter out(Parameters parameters, String name, T5Config config) {
        return parameters.create(name, Shape.of(config.dModel, config.dFf),
                config.initializerFactor * Math.pow(config.dFf, -0.5));
    }
}
