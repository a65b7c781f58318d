package io.mixt5.kernels.cuda;

import io.mixt5.engine.DType;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GradNorm;
import java.util.List;

/** {@link GradNorm} by grad_norm.cu: two launches for all tensors. */
public final class CudaGradNorm extends CudaKernel implements GradNorm.Kernel {
    private static final int THREADS = 256;
    /** Elements of a block. */
    private static final long CHUNK = 1 << 14;
    /** Numbers of a {@code NormSlot}. */
    private static final int FIELDS = 3;

    /** On {@code gpu}. */
    public CudaGradNorm(CudaGpu gpu) {
        super(gpu, "grad_norm");
    }

    @Override
    public void norm(List<Tensor> tensors, Tensor norm) {
        long[] slots = new long[FIELDS * tensors.size()];
        long blocks = 0;
        int at = 0;
        for (Tensor tensor : tensors) {
            slots[at++] = tensor.address();
            slots[at++] = tensor.count();
            slots[at++] = blocks;
            blocks += blocks(tensor.count(), CHUNK);
        }
        try (Scope scope = new Scope(norm.device())) {
            Tensor partial = scope.allocate(DType.F32, Shape.of(blocks), "grad_norm.partial");
            launch("grad_norm_squares", tensors.getFirst().dtype()).address(gpu.table(slots)).int32(tensors.size())
                    .int64(CHUNK).tensor(partial).run(blocks, THREADS);
            launch("grad_norm_root").tensor(partial).int64(blocks).tensor(norm).run(1, THREADS);
        }
    }
}
