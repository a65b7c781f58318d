package io.mixt5.model;

import io.mixt5.engine.Parameter;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;

/** The feed-forward part of a block: one dense layer, or several experts. */
interface FeedForward {
    /** [N, D] from x [N, D]. */
    Tensor apply(Tape tape, Tensor x, Tokens tokens);

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
