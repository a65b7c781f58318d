package io.mixt5.kernels.cuda;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.CrossEntropy;

/** {@link CrossEntropy} by cross_entropy.cu: a block for each row, the rows' losses added in a fixed order. */
public final class CudaCrossEntropy extends CudaKernel implements CrossEntropy.Kernel {
    private static final int THREADS = 256;

    /** On {@code gpu}. */
    public CudaCrossEntropy(CudaGpu gpu) {
        super(gpu, "cross_entropy");
    }

    @Override
    public void forward(Tensor logits, Tensor labels, Tensor loss, Tensor stats) {
        long classes = logits.shape().columns();
        launch("cross_entropy_lse", logits.dtype()).tensor(logits).int64(classes).tensor(stats).run(labels.count(),
                THREADS);
        launch("cross_entropy_mean", logits.dtype()).tensor(logits).tensor(labels).int64(labels.count())
                .int64(classes).tensor(stats).tensor(loss).run(1, THREADS);
    }

    @Override
    public void backward(Tensor logits, Tensor labels, Tensor stats, Tensor dloss, Target dlogits) {
        launch("cross_entropy_backward", logits.dtype()).tensor(logits).tensor(labels).tensor(stats)
                .int64(logits.shape().columns()).tensor(dloss).tensor(dlogits.tensor()).bool(dlogits.accumulate())
                .run(labels.count(), THREADS);
    }
}
