package io.mixt5.engine.op;

import io.mixt5.engine.Device;
import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Philox;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import java.util.ArrayList;
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
     * @param place of the parameter's count in {@link Updates#counts}; no two slots have the same
     * @param gradRows I32 [1], from how many rows the gradient comes, if it may be none; otherwise null
     * @param decay decoupled weight decay
     */
    public record Slot(int place, Tensor weight, Tensor gradient, Tensor gradRows, Tensor m, Tensor v, float decay) {
    }

    /**
     * What all parameters share in one update.
     *
     * @param updates which slots are updated; t is the number of a slot's update, from 1
     */
    public record Settings(double learningRate, double beta1, double beta2, double eps, Updates updates) {
    }

    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** Updates weight, m, v and count of every slot that is to be updated; gradients are left as they are. */
        void update(List<Slot> slots, Settings settings);
    }

    /** Updates the slots; all of their tensors are of one float type. */
    public static void apply(Device device, List<Slot> slots, Settings settings) {
        for (Slot slot : slots) {
            Shape shape = slot.weight.shape();
            Checks.shapes(
                    slot.gradient.shape().equals(shape) && slot.m.shape().equals(shape) && slot.v.shape().equals(shape),
                    "adamw",
                    "weight, gradient and state of one shape", slot.weight, slot.gradient, slot.m, slot.v);
            Checks.sameFloats("adamw", slots.getFirst().weight, slot.weight, slot.gradient, slot.m, slot.v);
            settings.updates.check("adamw", slot.place, slot.gradRows);
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
        OpCase.Fill normal = (stream, index) -> Philox.normal(1, stream, 0, index);
        OpCase.Fill positive = (stream, index) -> Math.abs(normal.value(stream, index));
        return List.of(TimedCase.streaming(OpCase.named("adamw").constant("weight", normal, s.tokens(), s.width())
                .constant("gradient", normal, s.tokens(), s.width()).constant("m", normal, s.tokens(), s.width())
                .constant("v", positive, s.tokens(), s.width())
                .constant("updates", (stream, index) -> 100, 1).run((tape, in) -> {
                    Slot slot = new Slot(0, in.get(0), in.get(1), null, in.get(2), in.get(3), 0.01f);
                    apply(tape.device(), List.of(slot),
                            new Settings(1e-4, 0.9, 0.999, 1e-8, new Updates(in.get(4), null, 0)));
                    return List.of(in.get(0));
                }), 7 * s.stream(), 0));
    }

    @Override
    public List<OpCase> cases() {
        List<OpCase> cases = new ArrayList<>();
        for (UpdateCase update : UpdateCase.all()) {
            cases.add(run(update));
        }
        return cases;
    }

    private static OpCase run(UpdateCase update) {
        OpCase.Fill normal = (stream, index) -> Philox.normal(1, stream, 0, index);
        OpCase.Fill positive = (stream, index) -> Math.abs(normal.value(stream, index));
        return OpCase.named(update.name()).constant("weight", normal, 9, 37).constant("gradient", normal, 9, 37)
                .constant("m", normal, 9, 37)
                .constant("v", positive, 9, 37).constant("vector", normal, 5).constant("its gradient", normal, 5)
                .constant("its m", normal, 5).constant("its v", positive, 5).run((tape, in) -> {
                    Updates updates = update.updates(tape.scope(), in.get(1), in.get(5));
                    List<Slot> slots = List.of(
                            new Slot(2, in.get(0), in.get(1), update.rows(tape.scope(), 0), in.get(2), in.get(3), 0.1f),
                            new Slot(1, in.get(4), in.get(5), update.rows(tape.scope(), 1), in.get(6), in.get(7), 0));
                    apply(tape.device(), slots, new Settings(1e-2, 0.9, 0.999, 1e-8, updates));
                    return List.of(in.get(0), in.get(2), in.get(3), in.get(4), in.get(6), in.get(7), updates.counts());
                });
    }
}
