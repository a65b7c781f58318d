package io.mixt5.engine.reference;

import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Add;

/** {@link Add} by its definition. */
public final class ReferenceAdd extends ReferenceKernel implements Add.Kernel {
    @Override
    public void forward(Tensor a, Tensor b, Tensor y) {
        for (long i = 0; i < y.count(); i++) {
            y.set(i, a.get(i) + b.get(i));
        }
    }

    @Override
    public void accumulate(Tensor x, Tensor into) {
        for (long i = 0; i < x.count(); i++) {
            into.set(i, into.get(i) + x.get(i));
        }
    }
}
