package io.mixt5.model;

import io.mixt5.engine.Parameter;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Linear;

/** A linear layer whose weight takes the type of the activations that it meets. */
final class Projection {
    private Projection() {
    }

    /** x [N, in] times weight [out, in] transposed: [N, out], in the type of x. */
    static Tensor apply(Tape tape, Tensor x, Parameter weight) {
        return Linear.apply(tape, x, tape.cast(weight.value(), x.dtype()));
    }
}
