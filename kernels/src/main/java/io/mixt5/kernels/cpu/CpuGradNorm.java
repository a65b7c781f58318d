package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GradNorm;
import java.util.List;

/** {@link GradNorm} on the CPU: chunks in parallel, their sums added in order and in double. */
public final class CpuGradNorm extends F32Kernel implements GradNorm.Kernel {
    @Override
    public void norm(List<Tensor> tensors, Tensor norm) {
        long[] counts = tensors.stream().mapToLong(Tensor::count).toArray();
        double[] sums = new double[Chunks.count(counts)];
        Chunks.forEach(counts, (tensor, from, n, chunk) -> sums[chunk] = Reductions
                .sumOfSquares(tensors.get(tensor).address() + 4 * from, n));
        double sum = 0;
        for (double part : sums) {
            sum += part;
        }
        Memory.setFloat(norm.address(), (float) Math.sqrt(sum));
    }
}
