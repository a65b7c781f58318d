package io.mixt5.engine.reference;

import io.mixt5.engine.Dropout;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.DropoutAdd;

/** {@link DropoutAdd} by its definition. */
public final class ReferenceDropoutAdd extends ReferenceKernel implements DropoutAdd.Kernel {
    @Override
    public void forward(Tensor residual, Tensor x, Dropout dropout, Tensor y) {
        for (long i = 0; i < y.count(); i++) {
            y.set(i, (residual == null ? 0 : residual.get(i)) + x.get(i) * dropout.factor(i));
        }
    }

    @Override
    public void backward(Tensor dy, Dropout dropout, Target dx) {
        for (long i = 0; i < dy.count(); i++) {
            put(dx, i, dy.get(i) * dropout.factor(i));
        }
    }
}
