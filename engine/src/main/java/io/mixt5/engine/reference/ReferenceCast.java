package io.mixt5.engine.reference;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Cast;

/** {@link Cast} by its definition. */
public final class ReferenceCast extends ReferenceKernel implements Cast.Kernel {
    @Override
    public void cast(Tensor x, Target y) {
        for (long i = 0; i < x.count(); i++) {
            put(y, i, x.get(i));
        }
    }
}
