package io.mixt5.kernels.cuda;

import io.mixt5.engine.Gradients.Counted;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GroupedLinear;
import java.util.List;

/** {@link GroupedLinear} on CUDA: all experts in one launch, which finds their rows on the device; one more
 * counts them. */
public final class CudaGroupedLinear extends CudaKernel implements GroupedLinear.Kernel {
    private static final int THREADS = 128;

    private final OwnGemm gemm;

    /** On {@code gpu}. */
    public CudaGroupedLinear(CudaGpu gpu) {
        super(gpu, "grouped_rows");
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
    public void backwardWeights(Tensor dy, Tensor x, Tensor offsets, List<Counted> dweights) {
        int experts = dweights.size();
        long[] gradients = new long[2 * experts];
        long[] rows = new long[2 * experts];
        for (int e = 0; e < experts; e++) {
            if (dweights.get(e) != null) {
                put(gradients, e, dweights.get(e).gradient());
                put(rows, e, dweights.get(e).rows());
            }
        }
        gemm.multiplyDepths(dy.dtype(), dy.shape().columns(), x.shape().columns(), dy.address(), x.address(), experts,
                offsets.address(), gpu.table(gradients));
        launch("grouped_rows").tensor(offsets).int32(experts).address(gpu.table(rows)).run(1, THREADS);
    }

    /** Puts the target of expert {@code e} into a table of all experts' addresses and then of what they do to them. */
    private static void put(long[] table, int e, Target target) {
        if (target != null) {
            table[e] = target.tensor().address();
            table[table.length / 2 + e] = target.accumulate() ? 1 : 0;
        }
    }

    private long addresses(List<Tensor> weights) {
        return gpu.table(weights.stream().mapToLong(Tensor::address).toArray());
    }
}
