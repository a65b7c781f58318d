package io.mixt5.engine.reference;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.CrossEntropy;

/** {@link CrossEntropy} by its definition. */
public final class ReferenceCrossEntropy extends ReferenceKernel implements CrossEntropy.Kernel {
    @Override
    public void forward(Tensor logits, Tensor labels, Tensor loss, Tensor stats) {
        long classes = logits.shape().columns();
        double sum = 0;
        long count = 0;
        for (long n = 0; n < labels.count(); n++) {
            double max = Double.NEGATIVE_INFINITY;
            for (long v = 0; v < classes; v++) {
                max = Math.max(max, logits.get(n * classes + v));
            }
            double exponentials = 0;
            for (long v = 0; v < classes; v++) {
                exponentials += Math.exp(logits.get(n * classes + v) - max);
            }
            double lse = max + Math.log(exponentials);
            stats.set(n, lse);
            int label = (int) labels.get(n);
            if (label != CrossEntropy.IGNORE) {
                sum += lse - logits.get(n * classes + label);
                count++;
            }
        }
        stats.set(labels.count(), count);
        loss.set(0, count == 0 ? 0 : sum / count);
    }

    @Override
    public void backward(Tensor logits, Tensor labels, Tensor stats, Tensor dloss, Target dlogits) {
        long classes = logits.shape().columns();
        double scale = dloss.get(0) / Math.max(1, stats.get(labels.count()));
        for (long n = 0; n < labels.count(); n++) {
            int label = (int) labels.get(n);
            for (long v = 0; v < classes; v++) {
                double p = Math.exp(logits.get(n * classes + v) - stats.get(n));
                put(dlogits, n * classes + v, label == CrossEntropy.IGNORE ? 0 : scale * (p - (v == label ? 1 : 0)));
            }
        }
    }
}
