package io.mixt5.engine.reference;

import io.mixt5.engine.Dropout;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Relu;

/** {@link Relu} by its definition. */
public final class ReferenceRelu extends ReferenceKernel implements Relu.Kernel {
    @Override
    public void forward(Tensor x, Dropout dropout, Tensor y) {
        for (long i = 0; i < y.count(); i++) {
            y.set(i, Math.max(x.get(i), 0) * dropout.factor(i));
        }
    }

    @Override
    public void backward(Tensor x, Dropout dropout, Tensor dy, Target dx) {
        for (long i = 0; i < dy.count(); i++) {
            put(dx, i, x.get(i) > 0 ? dy.get(i) * dropout.factor(i) : 0);
        }
    }
}
