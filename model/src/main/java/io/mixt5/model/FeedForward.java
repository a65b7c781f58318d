package io.mixt5.model;

import io.mixt5.engine.Parameter;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GatedGelu;
import io.mixt5.engine.op.Linear;
import io.mixt5.engine.op.Relu;

/** T5's dense feed-forward layer: gelu_new(x Wi0) * (x Wi1) Wo in v1.1, relu(x Wi) Wo in v1.0, with dropout before Wo. */
final class FeedForward {
    private final float dropout;
    private final Parameter gate;
    private final Parameter in;
    private final Parameter out;

    FeedForward(Parameters parameters, String prefix, T5Config config) {
        double deviationIn = config.initializerFactor * Math.pow(config.dModel, -0.5);
        Shape shape = Shape.of(config.dFf, config.dModel);
        dropout = (float) config.dropoutRate;
        gate = config.gated() ? parameters.create(prefix + "wi_0.weight", shape, deviationIn) : null;
        in = parameters.create(prefix + (config.gated() ? "wi_1.weight" : "wi.weight"), shape, deviationIn);
        out = parameters.create(prefix + "wo.weight", Shape.of(config.dModel, config.dFf),
                config.initializerFactor * Math.pow(config.dFf, -0.5));
    }

    /** [N, D] from x [N, D]. */
    Tensor apply(Tape tape, Tensor x) {
        Tensor up = Linear.apply(tape, x, in.value());
        Tensor hidden = gate == null
                ? Relu.apply(tape, up, tape.dropout(dropout))
                : GatedGelu.apply(tape, Linear.apply(tape, x, gate.value()), up, tape.dropout(dropout));
        return Linear.apply(tape, hidden, out.value());
    }
}
