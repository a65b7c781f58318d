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
        int width = Math.toIntExact(dy.shape().columns());
        double[] sums = new double[Math.toIntExact(dtable.tensor().count())];
        for (int n = 0; n < ids.count(); n++) {
            for (int i = 0; i < width; i++) {
                sums[(int) ids.get(n) * width + i] += dy.get((long) n * width + i);
            }
        }
        // Rounded once, however many rows have one id.
        for (int i = 0; i < sums.length; i++) {
            put(dtable, i, sums[i]);
        }
    }
}
