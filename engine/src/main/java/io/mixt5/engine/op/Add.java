package io.mixt5.engine.op;

import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import java.util.List;

/** y = a + b, element by element. */
public final class Add implements Op {
    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** y = a + b; all of one count and type. */
        void forward(Tensor a, Tensor b, Tensor y);

        /** into += x. */
        void accumulate(Tensor x, Tensor into);
    }

    /** a + b; shapes must be equal. */
    public static Tensor apply(Tape tape, Tensor a, Tensor b) {
        Checks.shapes(a.shape().equals(b.shape()), "add", "equal shapes", a, b);
        Checks.sameFloats("add", a, b);
        Tensor y = tape.allocate(a.dtype(), a.shape(), "add");
        tape.kernel(Kernel.class, a.dtype()).forward(a, b, y);
        if (tape.tracks(a, b)) {
            tape.record("add", y, gradients -> {
                if (a.requiresGrad() && b.requiresGrad()) {
                    Kernel kernel = tape.kernel(Kernel.class, a.dtype());
                    var db = gradients.addTo(b);
                    kernel.accumulate(gradients.of(y), db.tensor());
                }
                gradients.pass(y, a.requiresGrad() ? a : b);
            });
        }
        return y;
    }

    @Override
    public String name() {
        return "add";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        return List.of(TimedCase.streaming(OpCase.named("add").input("a", s.tokens(), s.width())
                .input("b", s.tokens(), s.width()).run((tape, in) -> List.of(apply(tape, in.get(0), in.get(1)))),
                3 * s.stream(), 0));
    }

    @Override
    public List<OpCase> cases() {
        return List.of(
                OpCase.named("odd").input("a", 5, 13).input("b", 5, 13)
                        .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(1)))),
                OpCase.named("same tensor twice").input("a", 3, 17)
                        .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(0)))));
    }
}
