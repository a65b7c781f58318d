package io.mixt5.engine.reference;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.RmsNorm;

/** {@link RmsNorm} by its definition. */
public final class ReferenceRmsNorm extends ReferenceKernel implements RmsNorm.Kernel {
    @Override
    public void forward(Tensor x, Tensor weight, float eps, Tensor y, Tensor inverse) {
        long columns = weight.count();
        for (long row = 0; row < inverse.count(); row++) {
            double sum = 0;
            for (long i = 0; i < columns; i++) {
                double value = x.get(row * columns + i);
                sum += value * value;
            }
            inverse.set(row, 1 / Math.sqrt(sum / columns + eps));
            for (long i = 0; i < columns; i++) {
                y.set(row * columns + i, x.get(row * columns + i) * inverse.get(row) * weight.get(i));
            }
        }
    }

    @Override
    public void backward(Tensor x, Tensor weight, Tensor inverse, Tensor dy, Target dx, Target dweight) {
        int columns = (int) weight.count();
        double[] weightSums = new double[columns];
        for (long row = 0; row < inverse.count(); row++) {
            double r = inverse.get(row);
            double dot = 0;
            for (int i = 0; i < columns; i++) {
                long at = row * columns + i;
                weightSums[i] += dy.get(at) * x.get(at) * r;
                dot += dy.get(at) * weight.get(i) * x.get(at);
            }
            for (int i = 0; i < columns; i++) {
                long at = row * columns + i;
                put(dx, at, r * (dy.get(at) * weight.get(i) - x.get(at) * r * r * dot / columns));
            }
        }
        for (int i = 0; i < columns; i++) {
            put(dweight, i, weightSums[i]);
        }
    }
}
