package io.mixt5.engine.op;

import io.mixt5.engine.Device;
import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import java.util.List;

/**
 * One AdamW update of all parameters in one pass (Loshchilov and Hutter, "Decoupled Weight Decay Regularization",
 * 2019), with gradient clipping folded in. The arithmetic is PyTorch's:
 *
 * <pre>
 * w *= 1 - lr * decay;  m += (1 - beta1) (g - m);  v = beta2 v + (1 - beta2) g^2
 * w -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
 * </pre>
 */
public final class AdamW implements Op {
    /**
     * A parameter and its state, all of one shape.
     *
     * @param decay decoupled weight decay
     */
    public record Slot(Tensor weight, Tensor gradient, Tensor m, Tensor v, float decay) {
    }

    /**
     * What all parameters share in one update.
     *
     * @param step number of this update, from 1
     * @param norm [1], the gradients' norm, or null not to clip
     * @param maxNorm the norm to clip to; 0 does not clip
     */
    public record Settings(double learningRate, double beta1, double beta2, double eps, int step, Tensor norm,
            double maxNorm) {
    }

    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** Updates weight, m and v of every slot; gradients are left as they are. */
        void update(List<Slot> slots, Settings settings);
    }

    /** Updates every slot; all tensors are of one float type. */
    public static void apply(Device device, List<Slot> slots, Settings settings) {
        for (Slot slot : slots) {
            Shape shape = slot.weight.shape();
            Checks.shapes(
                    slot.gradient.shape().equals(shape) && slot.m.shape().equals(shape) && slot.v.shape().equals(shape),
                    "adamw",
                    "weight, gradient and state of one shape", slot.weight, slot.gradient, slot.m, slot.v);
            Checks.sameFloats("adamw", slots.getFirst().weight, slot.weight, slot.gradient, slot.m, slot.v);
        }
        if (!slots.isEmpty()) {
            device.kernel(Kernel.class, slots.getFirst().weight.dtype()).update(slots, settings);
        }
    }

    @Override
    public String name() {
        return "adamw";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        OpCase.Fill normal = (stream, index) -> io.mixt5.engine.Philox.normal(1, stream, 0, index);
        OpCase.Fill positive = (stream, index) -> Math.abs(normal.value(stream, index));
        return List.of(TimedCase.streaming(OpCase.named("adamw").constant("weight", normal, s.tokens(), s.width())
                .constant("gradient", normal, s.tokens(), s.width()).constant("m", normal, s.tokens(), s.width())
                .constant("v", positive, s.tokens(), s.width()).run((tape, in) -> {
                    apply(tape.device(), List.of(new Slot(in.get(0), in.get(1), in.get(2), in.get(3), 0.01f)),
                            new Settings(1e-4, 0.9, 0.999, 1e-8, 100, null, 0));
                    return List.of(in.get(0));
                }), 7 * s.stream(), 0));
    }

    @Override
    public List<OpCase> cases() {
        return List.of(run("first step", 1, 0), run("later step", 1000, 0), run("clipped", 3, 0.5));
    }

    private static OpCase run(String name, int step, double maxNorm) {
        OpCase.Fill normal = (stream, index) -> io.mixt5.engine.Philox.normal(1, stream, 0, index);
        OpCase.Fill positive = (stream, index) -> Math.abs(normal.value(stream, index));
        return OpCase.named(name).constant("weight", normal, 9, 37).constant("gradient", normal, 9, 37)
                .constant("m", normal, 9, 37)
                .constant("v", positive, 9, 37).constant("vector", normal, 5).constant("its gradient", normal, 5)
                .constant("its m", normal, 5).constant("its v", positive, 5).run((tape, in) -> {
                    List<Slot> slots = List.of(new Slot(in.get(0), in.get(1), in.get(2), in.get(3), 0.1f),
                            new Slot(in.get(4), in.get(5), in.get(6), in.get(7), 0));
                    Tensor norm = maxNorm > 0 ? GradNorm.apply(tape.scope(), List.of(in.get(1), in.get(5))) : null;
                    apply(tape.device(), slots, new Settings(1e-2, 0.9, 0.999, 1e-8, step, norm, maxNorm));
                    return List.of(in.get(0), in.get(2), in.get(3), in.get(4), in.get(6), in.get(7));
                });
    }
}
