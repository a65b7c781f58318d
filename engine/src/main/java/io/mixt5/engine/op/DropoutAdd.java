package io.mixt5.engine.op;

import io.mixt5.engine.Dropout;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import java.util.List;

/** The end of a sub-layer: y = residual + dropout(x). Without a residual it is plain dropout. */
public final class DropoutAdd implements Op {
    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** y = residual + dropout(x); the residual may be null. */
        void forward(Tensor residual, Tensor x, Dropout dropout, Tensor y);

        /** The gradient of x: dy with the same elements dropped. */
        void backward(Tensor dy, Dropout dropout, Target dx);
    }

    /** residual + dropout(x), of one shape. */
    public static Tensor apply(Tape tape, Tensor residual, Tensor x, Dropout dropout) {
        Checks.shapes(residual == null || residual.shape().equals(x.shape()), "dropout_add", "equal shapes", residual,
                x);
        Checks.sameFloats("dropout_add", x, residual);
        Tensor y = tape.allocate(x.dtype(), x.shape(), "dropout_add");
        Kernel kernel = tape.kernel(Kernel.class, x.dtype());
        kernel.forward(residual, x, dropout, y);
        if (tape.tracks(residual, x)) {
            tape.record("dropout_add", y, gradients -> {
                Target dx = gradients.into(x);
                if (dx != null) {
                    kernel.backward(gradients.of(y), dropout, dx);
                }
                if (residual != null) {
                    gradients.pass(y, residual);
                }
            });
        }
        return y;
    }

    /** dropout(x); x itself when nothing is dropped. */
    public static Tensor dropout(Tape tape, Tensor x, Dropout dropout) {
        return dropout.active() ? apply(tape, null, x, dropout) : x;
    }

    @Override
    public String name() {
        return "dropout_add";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        Dropout dropout = new Dropout(0.1f, 9, 2, 8);
        OpCase.Fill fill = (stream, index) -> io.mixt5.engine.Philox.normal(1, stream, 0, index);
        // The residual's gradient is the output's own, handed on: only that of x costs anything.
        return List.of(TimedCase.streaming(OpCase.named("dropout_add").constant("residual", fill, s.tokens(), s.width())
                .input("x", s.tokens(), s.width())
                .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(1), dropout))), 3 * s.stream(),
                2 * s.stream()));
    }

    @Override
    public List<OpCase> cases() {
        Dropout dropout = new Dropout(0.3f, 7L << 40 | 9, 2, 8);
        return List.of(
                OpCase.named("residual only").input("residual", 5, 13).input("x", 5, 13)
                        .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(1), Dropout.NONE))),
                OpCase.named("residual and dropout").input("residual", 9, 37).input("x", 9, 37)
                        .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(1), dropout))),
                OpCase.named("dropout only").input("x", 67, 129)
                        .run((tape, in) -> List.of(dropout(tape, in.get(0), dropout))));
    }
}
