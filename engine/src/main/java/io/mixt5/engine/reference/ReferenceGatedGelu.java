package io.mixt5.engine.reference;

import io.mixt5.engine.Dropout;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GatedGelu;

/** {@link GatedGelu} by its definition. */
public final class ReferenceGatedGelu extends ReferenceKernel implements GatedGelu.Kernel {
    private static double tanh(double x) {
        return Math.tanh(GatedGelu.SQRT_2_OVER_PI * (x + GatedGelu.CUBIC * x * x * x));
    }

    @Override
    public void forward(Tensor gate, Tensor up, Dropout dropout, Tensor y) {
        for (long i = 0; i < y.count(); i++) {
            double x = gate.get(i);
            y.set(i, x / 2 * (1 + tanh(x)) * up.get(i) * dropout.factor(i));
        }
    }

    @Override
    public void backward(Tensor gate, Tensor up, Dropout dropout, Tensor dy, Target dgate, Target dup) {
        for (long i = 0; i < dy.count(); i++) {
            double x = gate.get(i);
            double t = tanh(x);
            double slope = (1 + t) / 2
                    + x / 2 * (1 - t * t) * GatedGelu.SQRT_2_OVER_PI * (1 + 3 * GatedGelu.CUBIC * x * x);
            double d = dy.get(i) * dropout.factor(i);
            put(dgate, i, d * up.get(i) * slope);
            put(dup, i, d * x / 2 * (1 + t));
        }
    }
}
