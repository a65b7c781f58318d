package io.mixt5.kernels.cuda;

import io.mixt5.engine.Dropout;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.DropoutAdd;

/** {@link DropoutAdd} by dropout_add.cu. */
public final class CudaDropoutAdd extends CudaElementwise implements DropoutAdd.Kernel {
    /** On {@code gpu}. */
    public CudaDropoutAdd(CudaGpu gpu) {
        super(gpu, "dropout_add");
    }

    @Override
    public void forward(Tensor residual, Tensor x, Dropout dropout, Tensor y) {
        run(dropout(launch("dropout_add_forward", y.dtype()).tensor(residual).tensor(x).tensor(y).int64(y.count()),
                dropout), y);
    }

    @Override
    public void backward(Tensor dy, Dropout dropout, Target dx) {
        run(dropout(launch("dropout_add_backward", dy.dtype()).tensor(dy).tensor(dx.tensor()).int64(dy.count())
                .bool(dx.accumulate()), dropout), dy);
    }
}
