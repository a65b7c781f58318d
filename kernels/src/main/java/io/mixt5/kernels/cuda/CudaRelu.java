package io.mixt5.kernels.cuda;

import io.mixt5.engine.Dropout;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Relu;

/** {@link Relu} by relu.cu. */
public final class CudaRelu extends CudaElementwise implements Relu.Kernel {
    /** On {@code gpu}. */
    public CudaRelu(CudaGpu gpu) {
        super(gpu, "relu");
    }

    @Override
    public void forward(Tensor x, Dropout dropout, Tensor y) {
        run(dropout(launch("relu_forward", y.dtype()).tensor(x).tensor(y).int64(y.count()), dropout), y);
    }

    @Override
    public void backward(Tensor x, Dropout dropout, Tensor dy, Target dx) {
        run(dropout(launch("relu_backward", dy.dtype()).tensor(x).tensor(dy).tensor(dx.tensor()).int64(dy.count())
                .bool(dx.accumulate()), dropout), dy);
    }
}
