package io.mixt5.engine.op;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Jitter;
import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.RandomStream;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import java.util.List;

/**
 * The router's exploration by noise on its input (Fedus et al., "Switch Transformers", 2022, appendix C): y = x * u.
 */
public final class InputJitter implements Op {
    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** y = x times the factor of each element, or y += that. Serves forward and backward alike. */
        void multiply(Tensor x, Jitter jitter, Target y);
    }

    /** x with each element multiplied by its factor; x itself when nothing changes. */
    public static Tensor apply(Tape tape, Tensor x, Jitter jitter) {
        Checks.sameFloats("input_jitter", x);
        if (!jitter.active()) {
            return x;
        }
        Tensor y = tape.allocate(x.dtype(), x.shape(), "input_jitter");
        Kernel kernel = tape.kernel(Kernel.class, x.dtype());
        kernel.multiply(x, jitter, new Target(y, false));
        if (tape.tracks(x)) {
            tape.record("input_jitter", y,
                    gradients -> kernel.multiply(gradients.of(y), jitter, gradients.into(x)));
        }
        return y;
    }

    @Override
    public String name() {
        return "input_jitter";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        return List.of(TimedCase.streaming(run("input_jitter", 0.01f, s.tokens(), s.width()), 2 * s.stream(),
                2 * s.stream()));
    }

    @Override
    public List<OpCase> cases() {
        return List.of(run("odd", 0.3f, 5, 13), run("more than a block", 0.01f, 67, 301));
    }

    private static OpCase run(String name, float eps, long... dims) {
        Jitter jitter = new Jitter(eps, new RandomStream(5L << 40 | 3, 6, 11));
        return OpCase.named(name).input("x", dims).run((tape, in) -> List.of(apply(tape, in.get(0), jitter)));
    }
}
