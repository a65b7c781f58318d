package io.mixt5.engine.op;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import java.util.List;

/** y = factor * x. */
public final class Scale implements Op {
    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** y = factor * x, or y += factor * x; y may be x itself. */
        void scale(Tensor x, float factor, Target y);
    }

    /** Multiplies every element. */
    public static Tensor apply(Tape tape, Tensor x, float factor) {
        Checks.sameFloats("scale", x);
        Tensor y = tape.allocate(x.dtype(), x.shape(), "scale");
        Kernel kernel = tape.kernel(Kernel.class, x.dtype());
        kernel.scale(x, factor, new Target(y, false));
        if (tape.tracks(x)) {
            tape.record("scale", y, gradients -> kernel.scale(gradients.of(y), factor, gradients.into(x)));
        }
        return y;
    }

    /** Multiplies every element of x itself, off any tape: gradients, after backward. */
    public static void inPlace(Tensor x, float factor) {
        Checks.sameFloats("scale", x);
        x.device().kernel(Kernel.class, x.dtype()).scale(x, factor, new Target(x, false));
    }

    @Override
    public String name() {
        return "scale";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        return List.of(TimedCase.streaming(OpCase.named("scale").input("x", s.tokens(), s.width())
                .run((tape, in) -> List.of(apply(tape, in.get(0), 0.37f))), 2 * s.stream(), 2 * s.stream()));
    }

    @Override
    public List<OpCase> cases() {
        return List.of(OpCase.named("odd").input("x", 5, 13).run((tape, in) -> List.of(apply(tape, in.get(0), -0.37f))),
                OpCase.named("in place").constant("x", (stream, index) -> 0.25 * index - 3, 3, 37).run((tape, in) -> {
                    inPlace(in.get(0), 0.125f);
                    return List.of(in.get(0));
                }),
                OpCase.named("twice").input("x", 4, 33)
                        .run((tape, in) -> List.of(apply(tape, in.get(0), 2), apply(tape, in.get(0), 3))));
    }
}
