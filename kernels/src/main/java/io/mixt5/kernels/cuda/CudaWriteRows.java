package io.mixt5.kernels.cuda;

import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.WriteRows;

/** {@link WriteRows} by write_rows.cu. */
public final class CudaWriteRows extends CudaRows implements WriteRows.Kernel {
    private static final int MOST_THREADS = 256;

    /** On {@code gpu}. */
    public CudaWriteRows(CudaGpu gpu) {
        super(gpu, "write_rows");
    }

    @Override
    public void write(Tensor source, Tensor rows, Tensor target) {
        long columns = source.shape().columns();
        launch("write_rows", source.dtype()).tensor(source).tensor(rows).tensor(target).int64(columns)
                .run(rows.count(), threads(columns, source.dtype(), MOST_THREADS));
    }
}
