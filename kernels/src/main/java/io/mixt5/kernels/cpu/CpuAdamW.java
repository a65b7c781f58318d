package io.mixt5.kernels.cpu;

import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.AdamW;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** {@link AdamW} on the CPU: all parameters in one go, each element read and written once. */
public final class CpuAdamW extends F32Kernel implements AdamW.Kernel {
    @Override
    public void update(List<AdamW.Slot> slots, AdamW.Settings settings) {
        double clip = settings.updates().clipFactor();
        Factors[] factors = new Factors[slots.size()];
        long[] counts = new long[slots.size()];
        for (int i = 0; i < counts.length; i++) {
            AdamW.Slot slot = slots.get(i);
            int t = settings.updates().next(slot.place(), slot.gradRows());
            if (t > 0) {
                factors[i] = Factors.of(settings, clip, t, slot.decay());
                counts[i] = slot.weight().count();
            }
        }
        Chunks.forEach(counts, (index, from, n, chunk) -> {
            AdamW.Slot slot = slots.get(index);
            Elementwise.run(addresses(from, slot.gradient()), addresses(from, slot.weight(), slot.m(), slot.v()), n,
                    (in, out, whole) -> update(in[0], out[0], out[1], out[2], whole, factors[index]));
        });
    }

    private static long[] addresses(long from, Tensor... tensors) {
        long[] addresses = Elementwise.addresses(tensors);
        for (int i = 0; i < addresses.length; i++) {
            addresses[i] += 4 * from;
        }
        return addresses;
    }

    /**
     * The settings as the loop wants them.
     *
     * @param clip what gradients are multiplied by
     * @param take1 1 - beta1
     * @param rate lr sqrt(1 - beta2^t) / (1 - beta1^t)
     * @param eps eps sqrt(1 - beta2^t)
     * @param keep 1 - lr decay
     */
    private record Factors(float clip, float take1, float beta2, float take2, float rate, float eps, float keep) {
        static Factors of(AdamW.Settings s, double clip, int t, float decay) {
            double correction1 = 1 - Math.pow(s.beta1(), t);
            double correction2 = Math.sqrt(1 - Math.pow(s.beta2(), t));
            return new Factors((float) clip, (float) (1 - s.beta1()), (float) s.beta2(), (float) (1 - s.beta2()),
                    (float) (s.learningRate() / correction1 * correction2), (float) (s.eps() * correction2),
                    (float) (1 - s.learningRate() * decay));
        }
    }

    private static void update(long gradient, long weight, long first, long second, int n, Factors f) {
        FloatVector take1 = Floats.all(f.take1);
        FloatVector beta2 = Floats.all(f.beta2);
        FloatVector minusRate = Floats.all(-f.rate);
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            FloatVector g = Floats.load(gradient + 4L * i).mul(f.clip);
            FloatVector m = Floats.load(first + 4L * i);
            FloatVector newM = g.sub(m).fma(take1, m);
            FloatVector newV = Floats.load(second + 4L * i).fma(beta2, g.mul(g).mul(f.take2));
            FloatVector direction = newM.div(newV.lanewise(VectorOperators.SQRT).add(f.eps));
            Floats.store(first + 4L * i, newM);
            Floats.store(second + 4L * i, newV);
            Floats.store(weight + 4L * i, direction.fma(minusRate, Floats.load(weight + 4L * i).mul(f.keep)));
        }
    }
}
