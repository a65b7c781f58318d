package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import io.mixt5.engine.op.Adafactor;
import io.mixt5.engine.op.GradNorm;
import java.util.List;

/**
 * {@link Adafactor} on the CPU. Small parameters are updated side by side, each by one thread, and then the large ones
 * one by one, each by all threads.
 */
public final class CpuAdafactor extends F32Kernel implements Adafactor.Kernel {
    private static final long LARGE = 4L * Chunks.ELEMENTS;

    @Override
    public void update(List<Adafactor.Slot> slots, Adafactor.Settings settings) {
        double norm = settings.norm() == null ? 0 : Memory.getFloat(settings.norm().address());
        double clip = settings.norm() == null ? 1 : GradNorm.clipFactor(norm, settings.maxNorm());
        List<Adafactor.Slot> small = slots.stream().filter(slot -> slot.weight().count() < LARGE).toList();
        WorkerPool.forEach(small.size(), (index, worker) -> update(small.get(index), settings, clip));
        for (Adafactor.Slot slot : slots) {
            if (slot.weight().count() >= LARGE) {
                update(slot, settings, clip);
            }
        }
    }

    private static void update(Adafactor.Slot slot, Adafactor.Settings settings, double clip) {
        if (slot.columns() == null) {
            updateVector(slot, settings, clip);
        } else {
            new AdafactorMatrix(slot, settings, clip).update();
        }
    }

    /** Vectors are short: plain loops do. */
    private static void updateVector(Adafactor.Slot slot, Adafactor.Settings settings, double clip) {
        long weight = slot.weight().address();
        long gradient = slot.gradient().address();
        long moment = slot.rows().address();
        int n = Math.toIntExact(slot.weight().count());
        double beta = settings.beta2();
        double weights = 0;
        double updates = 0;
        for (int i = 0; i < n; i++) {
            double g = clip * Memory.getFloat(gradient + 4L * i);
            double w = Memory.getFloat(weight + 4L * i);
            float v = (float) (beta * Memory.getFloat(moment + 4L * i) + (1 - beta) * (g * g + Adafactor.EPS1));
            Memory.setFloat(moment + 4L * i, v);
            weights += w * w;
            updates += g * g / v;
        }
        Size size = Size.of(settings, slot.decay(), weights / n, updates / n);
        for (int i = 0; i < n; i++) {
            double g = clip * Memory.getFloat(gradient + 4L * i);
            double update = g / Math.sqrt(Memory.getFloat(moment + 4L * i));
            double w = Memory.getFloat(weight + 4L * i);
            Memory.setFloat(weight + 4L * i, (float) (w * size.keep - size.step * update));
        }
    }

    /**
     * How far to go: w = keep w - step U.
     *
     * @param keep what weight decay leaves
     * @param step what the update U is multiplied by
     */
    record Size(double keep, double step) {
        /** From the mean squares of the weights and of the update. */
        static Size of(Adafactor.Settings settings, double decay, double weights, double updates) {
            double rate = settings.learningRate()
                    * (settings.scaleParameter() ? Math.max(Adafactor.EPS2, Math.sqrt(weights)) : 1);
            return new Size(1 - rate * decay, rate / Math.max(1, Math.sqrt(updates) / settings.clipThreshold()));
        }
    }
}
