package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import io.mixt5.engine.op.Adafactor;
import java.util.ArrayList;
import java.util.List;

/**
 * {@link Adafactor} on the CPU. Small parameters are updated side by side, each by one thread, and then the large ones
 * one by one, each by all threads.
 */
public final class CpuAdafactor extends F32Kernel implements Adafactor.Kernel {
    private static final long LARGE = 4L * Chunks.ELEMENTS;

    @Override
    public void update(List<Adafactor.Slot> slots, Adafactor.Settings settings) {
        List<Update> small = new ArrayList<>();
        List<Update> large = new ArrayList<>();
        double clip = settings.updates().clipFactor();
        for (Adafactor.Slot slot : slots) {
            int t = settings.updates().next(slot.place(), slot.gradRows());
            if (t > 0) {
                (slot.weight().count() < LARGE ? small : large)
                        .add(new Update(slot, settings, clip, settings.beta2(t)));
            }
        }
        WorkerPool.forEach(small.size(), (index, worker) -> small.get(index).run());
        large.forEach(Update::run);
    }

    /**
     * What happens to one parameter.
     *
     * @param clip what gradients are multiplied by
     * @param beta how much of the old second moment is kept
     */
    record Update(Adafactor.Slot slot, Adafactor.Settings settings, double clip, double beta) {
        private void run() {
            if (slot.columns() == null) {
                updateVector(this);
            } else {
                new AdafactorMatrix(this).update();
            }
        }
    }

    /** Vectors are short: plain loops do. */
    private static void updateVector(Update update) {
        Adafactor.Slot slot = update.slot;
        double clip = update.clip;
        double beta = update.beta;
        long weight = slot.weight().address();
        long gradient = slot.gradient().address();
        long moment = slot.rows().address();
        int n = Math.toIntExact(slot.weight().count());
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
        Size size = Size.of(update.settings, slot.decay(), weights / n, updates / n);
        for (int i = 0; i < n; i++) {
            double g = clip * Memory.getFloat(gradient + 4L * i);
            double direction = g / Math.sqrt(Memory.getFloat(moment + 4L * i));
            double w = Memory.getFloat(weight + 4L * i);
            Memory.setFloat(weight + 4L * i, (float) (w * size.keep - size.step * direction));
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
