package io.mixt5.kernels.cuda;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Combine;

/** {@link Combine} by combine.cu: a warp for each token, forward and backward, so that dy is read once. */
public final class CudaCombine extends CudaKernel implements Combine.Kernel {
    private static final int THREADS = 256;
    private static final int ROWS = THREADS / 32;

    /** On {@code gpu}. */
    public CudaCombine(CudaGpu gpu) {
        super(gpu, "combine");
    }

    @Override
    public void forward(Tensor x, Tensor weights, Tensor slots, Tensor y) {
        long tokens = slots.shape().rows();
        launch("combine_forward", x.dtype()).tensor(x).tensor(weights).tensor(slots).tensor(y).int64(tokens)
                .int32((int) slots.shape().columns()).int64(x.shape().columns()).run(blocks(tokens, ROWS), THREADS);
    }

    @Override
    public void backward(Tensor dy, Tensor x, Tensor weights, Tensor slots, Tensor tokens, Target dx,
            Target dweights) {
        long count = slots.shape().rows();
        long width = dy.shape().columns();
        launch("combine_backward", dy.dtype()).tensor(dy).tensor(x).tensor(weights).tensor(slots).tensor(tensor(dx))
                .tensor(tensor(dweights)).int64(count).int32((int) slots.shape().columns()).int64(width)
                .bool(dx != null && dx.accumulate()).bool(dweights != null && dweights.accumulate())
                .run(blocks(count, ROWS), THREADS);
        if (dx != null && !dx.accumulate()) {
            launch("combine_unused", dy.dtype()).tensor(tokens).tensor(dx.tensor()).int64(tokens.count()).int64(width)
                    .run(blocks(tokens.count(), ROWS), THREADS);
        }
    }

    private static Tensor tensor(Target target) {
        return target == null ? null : target.tensor();
    }
}
