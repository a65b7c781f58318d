package io.mixt5.kernels.cuda;

import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.ArgMax;

/** {@link ArgMax} by arg_max.cu. NaNs are passed over; a row of nothing else gives 0. */
public final class CudaArgMax extends CudaRows implements ArgMax.Kernel {
    private static final int MOST_THREADS = 1024;

    /** On {@code gpu}. */
    public CudaArgMax(CudaGpu gpu) {
        super(gpu, "arg_max");
    }

    @Override
    public void forward(Tensor x, Tensor indices) {
        long columns = x.shape().columns();
        launch("arg_max", x.dtype()).tensor(x).tensor(indices).int64(columns)
                .run(indices.count(), threads(columns, x.dtype(), MOST_THREADS));
    }
}
