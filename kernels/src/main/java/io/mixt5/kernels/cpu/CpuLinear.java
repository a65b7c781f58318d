package io.mixt5.kernels.cpu;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Linear;

/** {@link Linear} on the CPU: three products by {@link Gemms}. */
public final class CpuLinear extends F32Kernel implements Linear.Kernel {
    @Override
    public void forward(Tensor x, Tensor weight, Tensor y) {
        int rows = Math.toIntExact(y.shape().rows());
        int in = width(x);
        int out = width(y);
        Gemms.gemm().multiply(false, true, rows, out, in, 1, x.address(), in, weight.address(), in, 0, y.address(),
                out);
    }

    @Override
    public void backwardInput(Tensor dy, Tensor weight, Target dx) {
        int rows = Math.toIntExact(dy.shape().rows());
        int in = width(weight);
        int out = width(dy);
        Gemms.gemm().multiply(false, false, rows, in, out, 1, dy.address(), out, weight.address(), in, beta(dx),
                dx.tensor().address(), in);
    }

    @Override
    public void backwardWeight(Tensor dy, Tensor x, Target dweight) {
        int rows = Math.toIntExact(dy.shape().rows());
        int in = width(x);
        int out = width(dy);
        Gemms.gemm().multiply(true, false, out, in, rows, 1, dy.address(), out, x.address(), in, beta(dweight),
                dweight.tensor().address(), in);
    }

    private static int width(Tensor tensor) {
        return Math.toIntExact(tensor.shape().columns());
    }

    private static float beta(Target target) {
        return target.accumulate() ? 1 : 0;
    }
}
