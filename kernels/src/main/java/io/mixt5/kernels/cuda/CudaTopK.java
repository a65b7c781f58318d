package io.mixt5.kernels.cuda;

import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.TopK;

/** {@link TopK} by top_k.cu. */
public final class CudaTopK extends CudaKernel implements TopK.Kernel {
    private static final int WARP = 32;
    private static final int MOST_THREADS = 1024;
    /** Columns of a thread from which a row is worth another one. */
    private static final int COLUMNS = 4;

    /** On {@code gpu}. */
    public CudaTopK(CudaGpu gpu) {
        super(gpu, "top_k");
    }

    @Override
    public void forward(Tensor x, TopK.Best best) {
        long columns = x.shape().columns();
        int warps = Math.clamp(Math.ceilDiv(columns, (long) WARP * COLUMNS), 1, MOST_THREADS / WARP);
        launch("top_k", x.dtype()).tensor(x).int64(columns).int32((int) best.columns().shape().columns())
                .tensor(best.logProbabilities()).tensor(best.columns()).run(x.shape().rows(), WARP * warps);
    }
}
