package io.mixt5.kernels.cuda;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Embedding;

/** {@link Embedding} by embedding.cu. */
public final class CudaEmbedding extends CudaRows implements Embedding.Kernel {
    private static final int MOST_THREADS = 256;
    /** Blocks and threads of the backward, as in embedding.cu. */
    private static final int BUCKETS = 512;
    private static final int BACKWARD_THREADS = 128;

    /** On {@code gpu}. */
    public CudaEmbedding(CudaGpu gpu) {
        super(gpu, "embedding");
    }

    @Override
    public void forward(Tensor table, Tensor ids, Tensor y) {
        long columns = table.shape().columns();
        launch("embedding_forward", table.dtype()).tensor(table).tensor(ids).tensor(y).int64(columns)
                .run(ids.count(), threads(columns, table.dtype(), MOST_THREADS));
    }

    @Override
    public void backward(Tensor ids, Tensor dy, Target dtable) {
        launch("embedding_backward", dy.dtype()).tensor(ids).tensor(dy).tensor(dtable.tensor())
                .int32(Math.toIntExact(ids.count())).int64(dy.shape().columns())
                .run(ids.count() > 0 ? BUCKETS : 0, BACKWARD_THREADS);
    }
}
