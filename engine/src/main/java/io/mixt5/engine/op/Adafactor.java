package io.mixt5.engine.op;

import io.mixt5.engine.Device;
import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Philox;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import java.util.ArrayList;
import java.util.List;

/**
 * One Adafactor update of all parameters (Shazeer and Stern, "Adafactor", 2018; T5's optimiser): for matrices the
 * second moment is kept as row and column means, the update's RMS is clipped, and its size follows the RMS of the
 * parameter itself.
 *
 * <pre>
 * u = g^2 + eps1;  R = b R + (1 - b) rowmean(u);  C = b C + (1 - b) colmean(u);  b = 1 - t^decayRate
 * U = g / sqrt(R C / mean(R));  U /= max(1, rms(U) / clip);  a = lr * max(eps2, rms(w))
 * w -= a * decay * w;  w -= a * U
 * </pre>
 */
public final class Adafactor implements Op {
    /** Floor of squared gradients. */
    public static final double EPS1 = 1e-30;
    /** Floor of a parameter's RMS in scaling. */
    public static final double EPS2 = 1e-3;

    /**
     * A parameter and its state. A matrix [R, C] has rows [R] and columns [C]; a vector [D] keeps its whole second
     * moment in rows [D] and has null columns.
     *
     * @param place of the parameter's count in {@link Updates#counts}; no two slots have the same
     * @param gradRows I32 [1], from how many rows the gradient comes, if it may be none; otherwise null
     * @param decay decoupled weight decay
     */
    public record Slot(int place, Tensor weight, Tensor gradient, Tensor gradRows, Tensor rows, Tensor columns,
            float decay) {
    }

    /**
     * What all parameters share in one update.
     *
     * @param learningRate before scaling by the parameter
     * @param scaleParameter whether to multiply it by max(eps2, rms(w))
     * @param decayRate the negative exponent of the second moment's decay, usually -0.8
     * @param clipThreshold the largest RMS of an update, usually 1
     * @param updates which slots are updated; t is the number of a slot's update, from 1
     */
    public record Settings(double learningRate, boolean scaleParameter, double decayRate, double clipThreshold,
            Updates updates) {
        /** 1 - t^decayRate, how much of the old second moment update number {@code t} keeps. */
        public double beta2(int t) {
            return 1 - Math.pow(t, decayRate);
        }
    }

    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** Updates weight, state and count of every slot that is to be updated; gradients may be overwritten. */
        void update(List<Slot> slots, Settings settings);
    }

    /** Updates the slots; all of their tensors are of one float type. */
    public static void apply(Device device, List<Slot> slots, Settings settings) {
        for (Slot slot : slots) {
            Tensor weight = slot.weight;
            boolean fits = slot.columns == null
                    ? slot.rows.count() == weight.count()
                    : slot.rows.count() == weight.shape().rows() && slot.columns.count() == weight.shape().columns();
            Checks.shapes(fits && slot.gradient.shape().equals(weight.shape()), "adafactor",
                    "state that fits the weight", weight,
                    slot.gradient, slot.rows, slot.columns);
            Checks.sameFloats("adafactor", slots.getFirst().weight, weight, slot.gradient, slot.rows, slot.columns);
            settings.updates.check("adafactor", slot.place, slot.gradRows);
        }
        if (!slots.isEmpty()) {
            device.kernel(Kernel.class, slots.getFirst().weight.dtype()).update(slots, settings);
        }
    }

    @Override
    public String name() {
        return "adafactor";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        OpCase.Fill normal = (stream, index) -> Philox.normal(1, stream, 0, index);
        OpCase.Fill positive = (stream, index) -> Math.abs(normal.value(stream, index)) + 0.01;
        return List.of(TimedCase.streaming(OpCase.named("adafactor").constant("weight", normal, s.tokens(), s.width())
                .constant("gradient", normal, s.tokens(), s.width()).constant("rows", positive, s.tokens())
                .constant("columns", positive, s.width()).constant("updates", (stream, index) -> 100, 1)
                .run((tape, in) -> {
                    Slot slot = new Slot(0, in.get(0), in.get(1), null, in.get(2), in.get(3), 0);
                    apply(tape.device(), List.of(slot),
                            new Settings(1e-4, true, -0.8, 1, new Updates(in.get(4), null, 0)));
                    return List.of(in.get(0));
                }), 3 * s.stream(), 0));
    }

    @Override
    public List<OpCase> cases() {
        List<OpCase> cases = new ArrayList<>();
        for (UpdateCase update : UpdateCase.all()) {
            cases.add(run(update, update.name(), true));
        }
        cases.add(run(UpdateCase.all().getFirst(), "unscaled", false));
        return cases;
    }

    private static OpCase run(UpdateCase update, String name, boolean scale) {
        OpCase.Fill normal = (stream, index) -> Philox.normal(1, stream, 0, index);
        OpCase.Fill positive = (stream, index) -> Math.abs(normal.value(stream, index)) + 0.01;
        return OpCase.named(name).constant("weight", normal, 9, 37).constant("gradient", normal, 9, 37)
                .constant("rows", positive, 9)
                .constant("columns", positive, 37).constant("vector", normal, 5).constant("its gradient", normal, 5)
                .constant("its moment", positive, 5).tolerance(5e-5).run((tape, in) -> {
                    Updates updates = update.updates(tape.scope(), in.get(1), in.get(5));
                    List<Slot> slots = List.of(
                            new Slot(2, in.get(0), in.get(1), update.rows(tape.scope(), 0), in.get(2), in.get(3), 0.1f),
                            new Slot(1, in.get(4), in.get(5), update.rows(tape.scope(), 1), in.get(6), null, 0));
                    apply(tape.device(), slots, new Settings(1e-2, scale, -0.8, 1, updates));
                    return List.of(in.get(0), in.get(2), in.get(3), in.get(4), in.get(6), updates.counts());
                });
    }
}
