package io.mixt5.kernels.cuda;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Dispatch;

/** {@link Dispatch} by dispatch.cu: a warp for each token, forward and backward, so that x is read once. */
public final class CudaDispatch extends CudaKernel implements Dispatch.Kernel {
    private static final int THREADS = 256;
    private static final int ROWS = THREADS / 32;

    /** On {@code gpu}. */
    public CudaDispatch(CudaGpu gpu) {
        super(gpu, "dispatch");
    }

    @Override
    public void forward(Tensor x, Tensor slots, Tensor tokens, Tensor y) {
        long count = slots.shape().rows();
        launch("dispatch_forward", x.dtype()).tensor(x).tensor(slots).tensor(tokens).tensor(y).int64(count)
                .int64(tokens.count()).int32((int) slots.shape().columns()).int64(x.shape().columns())
                .run(blocks(count, ROWS), THREADS);
    }

    @Override
    public void backward(Tensor dy, Tensor slots, Target dx) {
        long tokens = slots.shape().rows();
        launch("dispatch_backward", dy.dtype()).tensor(dy).tensor(slots).tensor(dx.tensor()).int64(tokens)
                .int32((int) slots.shape().columns()).int64(dy.shape().columns()).bool(dx.accumulate())
                .run(blocks(tokens, ROWS), THREADS);
    }
}
