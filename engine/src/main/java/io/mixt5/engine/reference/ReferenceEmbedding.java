package io.mixt5.engine.reference;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Embedding;

/** {@link Embedding} by its definition. */
public final class ReferenceEmbedding extends ReferenceKernel implements Embedding.Kernel {
    @Override
    public void forward(Tensor table, Tensor ids, Tensor y) {
        long width = table.shape().dim(1);
        for (long n = 0; n < ids.count(); n++) {
            for (long i = 0; i < width; i++) {
                y.set(n * width + i, table.get((long) ids.get(n) * width + i));
            }
        }
    }

    @Override
    public void backward(Tensor ids, Tensor dy, Target dtable) {
        long width = dy.shape().columns();
        for (long n = 0; n < ids.count(); n++) {
            for (long i = 0; i < width; i++) {
                put(dtable, (long) ids.get(n) * width + i, dy.get(n * width + i));
            }
        }
    }
}
