package io.mixt5.engine.reference;

import io.mixt5.engine.op.AdamW;
import java.util.List;

/** {@link AdamW} by its definition. */
public final class ReferenceAdamW extends ReferenceKernel implements AdamW.Kernel {
    @Override
    public void update(List<AdamW.Slot> slots, AdamW.Settings s) {
        double clip = s.updates().clipFactor();
        for (AdamW.Slot slot : slots) {
            int t = s.updates().next(slot.place(), slot.gradRows());
            if (t > 0) {
                update(slot, s, clip, 1 - Math.pow(s.beta1(), t), Math.sqrt(1 - Math.pow(s.beta2(), t)));
            }
        }
    }

    private static void update(AdamW.Slot slot, AdamW.Settings s, double clip, double correction1, double correction2) {
        for (long i = 0; i < slot.weight().count(); i++) {
            double g = slot.gradient().get(i) * clip;
            double m = slot.m().get(i) + (1 - s.beta1()) * (g - slot.m().get(i));
            double v = s.beta2() * slot.v().get(i) + (1 - s.beta2()) * g * g;
            double w = slot.weight().get(i) * (1 - s.learningRate() * slot.decay());
            slot.m().set(i, m);
            slot.v().set(i, v);
            slot.weight().set(i, w - s.learningRate() / correction1 * m / (Math.sqrt(v) / correction2 + s.eps()));
        }
    }
}
