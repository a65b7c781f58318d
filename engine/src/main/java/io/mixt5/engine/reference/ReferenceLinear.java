package io.mixt5.engine.reference;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Linear;

/** {@link Linear} by its definition. */
public final class ReferenceLinear extends ReferenceKernel implements Linear.Kernel {
    @Override
    public void forward(Tensor x, Tensor weight, Tensor y) {
        long in = weight.shape().dim(1);
        long out = weight.shape().dim(0);
        for (long n = 0; n < y.shape().rows(); n++) {
            for (long o = 0; o < out; o++) {
                double sum = 0;
                for (long i = 0; i < in; i++) {
                    sum += x.get(n * in + i) * weight.get(o * in + i);
                }
                y.set(n * out + o, sum);
            }
        }
    }

    @Override
    public void backwardInput(Tensor dy, Tensor weight, Target dx) {
        long in = weight.shape().dim(1);
        long out = weight.shape().dim(0);
        for (long n = 0; n < dy.shape().rows(); n++) {
            for (long i = 0; i < in; i++) {
                double sum = 0;
                for (long o = 0; o < out; o++) {
                    sum += dy.get(n * out + o) * weight.get(o * in + i);
                }
                put(dx, n * in + i, sum);
            }
        }
    }

    @Override
    public void backwardWeight(Tensor dy, Tensor x, Target dweight) {
        long in = x.shape().columns();
        long out = dy.shape().columns();
        for (long o = 0; o < out; o++) {
            for (long i = 0; i < in; i++) {
                double sum = 0;
                for (long n = 0; n < x.shape().rows(); n++) {
                    sum += dy.get(n * out + o) * x.get(n * in + i);
                }
                put(dweight, o * in + i, sum);
            }
        }
    }
}
