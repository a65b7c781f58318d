package io.mixt5.model;

import io.mixt5.engine.Parameter;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GatedGelu;
import io.mixt5.engine.op.Relu;

/** T5's dense feed-forward layer: gelu_new(x Wi0) * (x Wi1) Wo in v1.1, relu(x Wi) Wo in v1.0, with dropout before Wo. */
final class DenseFeedForward implements FeedForward {
    private final T5Config config;
    private final Parameter gate;
    private final Parameter in;
    private final Parameter out;

    DenseFeedForward(Parameters parameters, String prefix, T5Config config) {
        this.config = config;
        gate = config.gated() ? FeedForward.in(parameters, prefix + "wi_0.weight", config) : null;
        in = FeedForward.in(parameters, prefix + (config.gated() ? "wi_1.weight" : "wi.weight"), config);
        out = FeedForward.out(parameters, prefix + "wo.weight", config);
    }

    @Override
    public Tensor apply(Tape tape, Tensor x, Tokens tokens) {
        float dropout = (float) config.dropoutRate;
        Tensor up = Projection.apply(tape, x, in);
        Tensor hidden = gate == null
                ? Relu.apply(tape, up, tape.dropout(dropout))
                : GatedGelu.apply(tape, Projection.apply(tape, x, gate), up, tape.dropout(dropout));
        return Projection.apply(tape, hidden, out);
    }
}
