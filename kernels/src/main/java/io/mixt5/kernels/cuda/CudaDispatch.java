package io.mixt5.kernels.cuda;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Dispatch;

/** {@link Dispatch} by dispatch.cu: a warp for each row that is written. */
public final class CudaDispatch extends CudaKernel implements Dispatch.Kernel {
    private static final int THREADS = 256;
    private static final int ROWS = THREADS / 32;

    /** On {@code gpu}. */
    public CudaDispatch(CudaGpu gpu) {
        super(gpu, "dispatch");
    }

    @Override
    public void forward(Tensor x, Tensor tokens, Tensor y) {
        launch("dispatch_forward", x.dtype()).tensor(x).tensor(tokens).tensor(y).int64(tokens.count())
                .int64(x.shape().columns()).run(blocks(tokens.count(), ROWS), THREADS);
    }

    @Override
    public void backward(Tensor dy, Tensor slots, Target dx) {
        long tokens = slots.shape().rows();
        launch("dispatch_backward", dy.dtype()).tensor(dy).tensor(slots).tensor(dx.tensor()).int64(tokens)
                .int32((int) slots.shape().columns()).int64(dy.shape().columns()).bool(dx.accumulate())
                .run(blocks(tokens, ROWS), THREADS);
    }
}
