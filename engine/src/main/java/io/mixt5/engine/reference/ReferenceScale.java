package io.mixt5.engine.reference;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Scale;

/** {@link Scale} by its definition. */
public final class ReferenceScale extends ReferenceKernel implements Scale.Kernel {
    @Override
    public void scale(Tensor x, float factor, Target y) {
        for (long i = 0; i < x.count(); i++) {
            put(y, i, factor * x.get(i));
        }
    }
}
