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

/** T5 v1.0's activation with its dropout: y = dropout(max(x, 0)). The gradient at 0 is 0, as in PyTorch. */
public final class Relu implements Op {
    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** y = dropout(max(x, 0)). */
        void forward(Tensor x, Dropout dropout, Tensor y);

        /** The gradient of x. */
        void backward(Tensor x, Dropout dropout, Tensor dy, Target dx);
    }

    /** Applies the activation and then the dropout. */
    public static Tensor apply(Tape tape, Tensor x, Dropout dropout) {
        Checks.sameFloats("relu", x);
        Tensor y = tape.allocate(x.dtype(), x.shape(), "relu");
        Kernel kernel = tape.kernel(Kernel.class, x.dtype());
        kernel.forward(x, dropout, y);
        if (tape.tracks(x)) {
            tape.record("relu", y, gradients -> kernel.backward(x, dropout, gradients.of(y), gradients.into(x)));
        }
        return y;
    }

    @Override
    public String name() {
        return "relu";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        return List.of(TimedCase.streaming(run("relu", Dropout.NONE, s.tokens(), s.hidden()), 2 * s.hiddenStream(),
                3 * s.hiddenStream()),
                TimedCase.streaming(run("relu_dropout", new Dropout(0.1f, 11, 3, 5), s.tokens(), s.hidden()),
                        2 * s.hiddenStream(), 3 * s.hiddenStream()));
    }

    @Override
    public List<OpCase> cases() {
        return List.of(run("odd", Dropout.NONE, 5, 13), run("dropout", new Dropout(0.25f, 11, 3, 5), 9, 37));
    }

    private static OpCase run(String name, Dropout dropout, long... dims) {
        return OpCase.named(name).input("x", dims).run((tape, in) -> List.of(apply(tape, in.get(0), dropout)));
    }
}
