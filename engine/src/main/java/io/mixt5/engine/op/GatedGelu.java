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

/**
 * T5 v1.1's activation with its dropout: y = dropout(gelu_new(gate) * up) (Shazeer, "GLU Variants Improve Transformer",
 * 2020), where gelu_new(x) = x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))).
 */
public final class GatedGelu implements Op {
    /** sqrt(2 / pi). */
    public static final double SQRT_2_OVER_PI = 0.7978845608028654;
    /** The cubic term's factor. */
    public static final double CUBIC = 0.044715;

    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** y = dropout(gelu_new(gate) * up), all of one shape. */
        void forward(Tensor gate, Tensor up, Dropout dropout, Tensor y);

        /** Gradients of gate and up; the activation is computed again rather than kept. */
        void backward(Tensor gate, Tensor up, Dropout dropout, Tensor dy, Target dgate, Target dup);
    }

    /** Applies the activation and then the dropout. */
    public static Tensor apply(Tape tape, Tensor gate, Tensor up, Dropout dropout) {
        Checks.shapes(gate.shape().equals(up.shape()), "gated_gelu", "equal shapes", gate, up);
        Checks.sameFloats("gated_gelu", gate, up);
        Tensor y = tape.allocate(gate.dtype(), gate.shape(), "gated_gelu");
        Kernel kernel = tape.kernel(Kernel.class, gate.dtype());
        kernel.forward(gate, up, dropout, y);
        if (tape.tracks(gate, up)) {
            tape.record("gated_gelu", y,
                    gradients -> kernel.backward(gate, up, dropout, gradients.of(y), gradients.into(gate),
                            gradients.into(up)));
        }
        return y;
    }

    @Override
    public String name() {
        return "gated_gelu";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        return List.of(TimedCase.streaming(run("gated_gelu", Dropout.NONE, 1, s.tokens(), s.hidden()),
                3 * s.hiddenStream(), 5 * s.hiddenStream()),
                TimedCase.streaming(
                        run("gated_gelu_dropout", new Dropout(0.1f, 11, 3, 5), 1, s.tokens(), s.hidden()),
                        3 * s.hiddenStream(), 5 * s.hiddenStream()));
    }

    @Override
    public List<OpCase> cases() {
        return List.of(run("odd", Dropout.NONE, 1, 5, 13), run("large values", Dropout.NONE, 8, 3, 64),
                run("dropout", new Dropout(0.25f, 11, 3, 5), 1, 9, 37),
                run("long", new Dropout(0.1f, 12, 0, 1), 1, 70, 130),
                OpCase.named("same tensor twice").input("x", 3, 17)
                        .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(0), Dropout.NONE))));
    }

    private static OpCase run(String name, Dropout dropout, double deviation, long... dims) {
        return OpCase.named(name).input("gate", deviation, dims).input("up", dims)
                .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(1), dropout)));
    }
}
