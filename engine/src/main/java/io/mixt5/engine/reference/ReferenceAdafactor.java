package io.mixt5.engine.reference;

import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Adafactor;
import java.util.List;

/** {@link Adafactor} by its definition. */
public final class ReferenceAdafactor extends ReferenceKernel implements Adafactor.Kernel {
    @Override
    public void update(List<Adafactor.Slot> slots, Adafactor.Settings settings) {
        double clip = settings.updates().clipFactor();
        for (Adafactor.Slot slot : slots) {
            int t = settings.updates().next(slot.place(), slot.gradRows());
            if (t > 0) {
                update(slot, settings, clip, settings.beta2(t));
            }
        }
    }

    private static void update(Adafactor.Slot slot, Adafactor.Settings s, double clip, double beta) {
        int columns = (int) slot.weight().shape().columns();
        int count = (int) slot.weight().count();
        double[] squares = new double[count];
        for (int i = 0; i < count; i++) {
            double g = slot.gradient().get(i) * clip;
            squares[i] = g * g + Adafactor.EPS1;
        }
        double[] update = new double[count];
        if (slot.columns() == null) {
            average(slot.rows(), squares, beta);
            for (int i = 0; i < count; i++) {
                update[i] = slot.gradient().get(i) * clip / Math.sqrt(slot.rows().get(i));
            }
        } else {
            int rows = count / columns;
            double[] rowMeans = new double[rows];
            double[] columnMeans = new double[columns];
            for (int i = 0; i < count; i++) {
                rowMeans[i / columns] += squares[i] / columns;
                columnMeans[i % columns] += squares[i] / rows;
            }
            average(slot.rows(), rowMeans, beta);
            average(slot.columns(), columnMeans, beta);
            double mean = 0;
            for (int row = 0; row < rows; row++) {
                mean += slot.rows().get(row) / rows;
            }
            for (int i = 0; i < count; i++) {
                double moment = slot.rows().get(i / columns) / mean * slot.columns().get(i % columns);
                update[i] = slot.gradient().get(i) * clip / Math.sqrt(moment);
            }
        }
        double sum = 0;
        double weights = 0;
        for (int i = 0; i < count; i++) {
            sum += update[i] * update[i] / count;
            weights += slot.weight().get(i) * slot.weight().get(i) / count;
        }
        double rate = s.learningRate() * (s.scaleParameter() ? Math.max(Adafactor.EPS2, Math.sqrt(weights)) : 1);
        double scale = rate / Math.max(1, Math.sqrt(sum) / s.clipThreshold());
        for (int i = 0; i < count; i++) {
            double decayed = slot.weight().get(i) * (1 - rate * slot.decay());
            slot.weight().set(i, decayed - scale * update[i]);
        }
    }

    private static void average(Tensor moment, double[] fresh, double beta) {
        for (int i = 0; i < fresh.length; i++) {
            moment.set(i, beta * moment.get(i) + (1 - beta) * fresh[i]);
        }
    }
}
