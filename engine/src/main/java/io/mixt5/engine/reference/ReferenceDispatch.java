package io.mixt5.engine.reference;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Dispatch;

/** {@link Dispatch} by its definition. */
public final class ReferenceDispatch extends ReferenceKernel implements Dispatch.Kernel {
    @Override
    public void forward(Tensor x, Tensor slots, Tensor tokens, Tensor y) {
        long width = x.shape().columns();
        for (long row = 0; row < tokens.count(); row++) {
            long token = (long) tokens.get(row);
            for (long i = 0; i < width; i++) {
                y.set(row * width + i, token < 0 ? 0 : x.get(token * width + i));
            }
        }
    }

    @Override
    public void backward(Tensor dy, Tensor slots, Target dx) {
        long width = dy.shape().columns();
        long k = slots.shape().columns();
        for (long n = 0; n < slots.shape().rows(); n++) {
            for (long i = 0; i < width; i++) {
                double sum = 0;
                for (long s = 0; s < k; s++) {
                    long row = (long) slots.get(n * k + s);
                    sum += row < 0 ? 0 : dy.get(row * width + i);
                }
                put(dx, n * width + i, sum);
            }
        }
    }
}
