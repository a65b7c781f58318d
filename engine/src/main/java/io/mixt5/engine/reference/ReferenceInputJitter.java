package io.mixt5.engine.reference;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Jitter;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.InputJitter;

/** {@link InputJitter} by its definition. */
public final class ReferenceInputJitter extends ReferenceKernel implements InputJitter.Kernel {
    @Override
    public void multiply(Tensor x, Jitter jitter, Target y) {
        for (long i = 0; i < x.count(); i++) {
            put(y, i, x.get(i) * jitter.factor(i));
        }
    }
}
