package io.mixt5.engine.reference;

import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.ArgMax;

/** {@link ArgMax} by its definition. */
public final class ReferenceArgMax extends ReferenceKernel implements ArgMax.Kernel {
    @Override
    public void forward(Tensor x, Tensor indices) {
        long columns = x.shape().columns();
        for (long n = 0; n < indices.count(); n++) {
            long best = 0;
            for (long i = 1; i < columns; i++) {
                if (x.get(n * columns + i) > x.get(n * columns + best)) {
                    best = i;
                }
            }
            indices.set(n, best);
        }
    }
}
