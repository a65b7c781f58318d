package io.mixt5.kernels.cuda;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Linear;

/** {@link Linear} on CUDA: three products by a {@link Gemm}. */
public final class CudaLinear extends CudaKernel implements Linear.Kernel {
    private final Gemm gemm;

    /** On {@code gpu}. */
    public CudaLinear(CudaGpu gpu) {
        super(gpu, "gemm");
        gemm = Gemms.choose(gpu);
    }

    @Override
    public void forward(Tensor x, Tensor weight, Tensor y) {
        long in = x.shape().columns();
        long out = y.shape().columns();
        gemm.multiply(y.dtype(), false, true, y.shape().rows(), out, in, x.address(), in, weight.address(), in, false,
                y.address(), out);
    }

    @Override
    public void backwardInput(Tensor dy, Tensor weight, Target dx) {
        long in = weight.shape().columns();
        long out = dy.shape().columns();
        gemm.multiply(dy.dtype(), false, false, dy.shape().rows(), in, out, dy.address(), out, weight.address(), in,
                dx.accumulate(), dx.tensor().address(), in);
    }

    @Override
    public void backwardWeight(Tensor dy, Tensor x, Target dweight) {
        long in = x.shape().columns();
        long out = dy.shape().columns();
        gemm.multiply(dy.dtype(), true, false, out, in, dy.shape().rows(), dy.address(), out, x.address(), in,
                dweight.accumulate(), dweight.tensor().address(), in);
    }
}
