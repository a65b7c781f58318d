package io.mixt5.engine.reference;

import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.WriteRows;

/** {@link WriteRows} by its definition. */
public final class ReferenceWriteRows extends ReferenceKernel implements WriteRows.Kernel {
    @Override
    public void write(Tensor source, Tensor rows, Tensor target) {
        long width = source.shape().columns();
        for (long n = 0; n < rows.count(); n++) {
            for (long i = 0; i < width; i++) {
                target.set((long) rows.get(n) * width + i, source.get(n * width + i));
            }
        }
    }
}
