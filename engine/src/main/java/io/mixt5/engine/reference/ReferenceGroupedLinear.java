package io.mixt5.engine.reference;

import io.mixt5.engine.Gradients.Counted;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GroupedLinear;
import java.util.List;

/** {@link GroupedLinear} by its definition. */
public final class ReferenceGroupedLinear extends ReferenceKernel implements GroupedLinear.Kernel {
    @Override
    public void forward(Tensor x, List<Tensor> weights, Tensor offsets, Tensor y) {
        long in = x.shape().columns();
        long out = y.shape().columns();
        for (long row = 0; row < y.shape().rows(); row++) {
            Tensor weight = weightOf(row, weights, offsets);
            for (long o = 0; o < out; o++) {
                double sum = 0;
                for (long i = 0; i < in && weight != null; i++) {
                    sum += x.get(row * in + i) * weight.get(o * in + i);
                }
                y.set(row * out + o, sum);
            }
        }
    }

    @Override
    public void backwardInput(Tensor dy, List<Tensor> weights, Tensor offsets, Target dx) {
        long in = dx.tensor().shape().columns();
        long out = dy.shape().columns();
        for (long row = 0; row < dy.shape().rows(); row++) {
            Tensor weight = weightOf(row, weights, offsets);
            for (long i = 0; i < in; i++) {
                double sum = 0;
                for (long o = 0; o < out && weight != null; o++) {
                    sum += dy.get(row * out + o) * weight.get(o * in + i);
                }
                put(dx, row * in + i, sum);
            }
        }
    }

    @Override
    public void backwardWeights(Tensor dy, Tensor x, Tensor offsets, List<Counted> dweights) {
        for (int e = 0; e < dweights.size(); e++) {
            Counted target = dweights.get(e);
            if (target != null) {
                long from = (long) offsets.get(e);
                long to = (long) offsets.get(e + 1);
                backwardWeight(dy, x, from, to, target.gradient());
                put(target.rows(), 0, to - from);
            }
        }
    }

    private static void backwardWeight(Tensor dy, Tensor x, long from, long to, Target dweight) {
        long in = x.shape().columns();
        long out = dy.shape().columns();
        for (long o = 0; o < out; o++) {
            for (long i = 0; i < in; i++) {
                double sum = 0;
                for (long row = from; row < to; row++) {
                    sum += dy.get(row * out + o) * x.get(row * in + i);
                }
                put(dweight, o * in + i, sum);
            }
        }
    }

    /** The weight of the expert that has the row; null when none has. */
    private static Tensor weightOf(long row, List<Tensor> weights, Tensor offsets) {
        for (int e = 0; e < weights.size(); e++) {
            if (row < offsets.get(e + 1)) {
                return weights.get(e);
            }
        }
        return null;
    }
}
