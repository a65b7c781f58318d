package io.mixt5.kernels.cuda;

import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Add;

/** {@link Add} by add.cu. */
public final class CudaAdd extends CudaKernel implements Add.Kernel {
    private static final int THREADS = 256;

    /** On {@code gpu}. */
    public CudaAdd(CudaGpu gpu) {
        super(gpu, "add");
    }

    @Override
    public void forward(Tensor a, Tensor b, Tensor y) {
        launch("add_forward", y.dtype()).tensor(a).tensor(b).tensor(y).int64(y.count())
                .run(blocks(y.count(), (long) THREADS * vector(y.dtype())), THREADS);
    }

    @Override
    public void accumulate(Tensor x, Tensor into) {
        forward(into, x, into);
    }
}
