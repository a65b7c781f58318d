package io.mixt5.kernels.cuda;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GroupedLinear;
import java.util.List;

/** {@link GroupedLinear} on CUDA: all experts in one launch, which finds their rows on the device. */
public final class CudaGroupedLinear extends CudaKernel implements GroupedLinear.Kernel {
    private final OwnGemm gemm;

    /** On {@code gpu}. */
    public CudaGroupedLinear(CudaGpu gpu) {
        super(gpu, "gemm");
        gemm = new OwnGemm(gpu);
    }

    @Override
    public void forward(Tensor x, List<Tensor> weights, Tensor offsets, Tensor y) {
        gemm.multiplyRows(y.dtype(), true, y.shape().rows(), y.shape().columns(), x.shape().columns(), x.address(),
                weights.size(), offsets.address(), addresses(weights), false, y.address());
    }

    @Override
    public void backwardInput(Tensor dy, List<Tensor> weights, Tensor offsets, Target dx) {
        Tensor to = dx.tensor();
        gemm.multiplyRows(dy.dtype(), false, to.shape().rows(), to.shape().columns(), dy.shape().columns(),
                dy.address(), weights.size(), offsets.address(), addresses(weights), dx.accumulate(), to.address());
    }

    @Override
    public void backwardWeights(Tensor dy, Tensor x, Tensor offsets, List<Target> dweights) {
        int experts = dweights.size();
        long[] targets = new long[2 * experts];
        for (int e = 0; e < experts; e++) {
            Target target = dweights.get(e);
            if (target != null) {
                targets[e] = target.tensor().address();
                targets[experts + e] = target.accumulate() ? 1 : 0;
            }
        }
        gemm.multiplyDepths(dy.dtype(), dy.shape().columns(), x.shape().columns(), dy.address(), x.address(), experts,
                offsets.address(), gpu.table(targets));
    }

    private long addresses(List<Tensor> weights) {
        return gpu.table(weights.stream().mapToLong(Tensor::address).toArray());
    }
}
