package io.mixt5.engine.reference;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Combine;

/** {@link Combine} by its definition. */
public final class ReferenceCombine extends ReferenceKernel implements Combine.Kernel {
    @Override
    public void forward(Tensor x, Tensor weights, Tensor slots, Tensor y) {
        long width = y.shape().columns();
        long k = slots.shape().columns();
        for (long n = 0; n < slots.shape().rows(); n++) {
            for (long i = 0; i < width; i++) {
                double sum = 0;
                for (long s = 0; s < k; s++) {
                    long row = (long) slots.get(n * k + s);
                    sum += row < 0 ? 0 : weights.get(n * k + s) * x.get(row * width + i);
                }
                y.set(n * width + i, sum);
            }
        }
    }

    @Override
    public void backward(Tensor dy, Tensor x, Tensor weights, Tensor slots, Tensor tokens, Target dx,
            Target dweights) {
        long width = dy.shape().columns();
        long k = slots.shape().columns();
        for (long row = 0; row < tokens.count(); row++) {
            for (long i = 0; i < width && tokens.get(row) < 0; i++) {
                put(dx, row * width + i, 0);
            }
        }
        for (long entry = 0; entry < slots.count(); entry++) {
            long row = (long) slots.get(entry);
            double dot = 0;
            for (long i = 0; i < width && row >= 0; i++) {
                double d = dy.get(entry / k * width + i);
                dot += d * x.get(row * width + i);
                put(dx, row * width + i, weights.get(entry) * d);
            }
            put(dweights, entry, dot);
        }
    }
}
