package io.mixt5.engine.op;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import java.util.List;

/**
 * T5's layer norm: y = w * x / sqrt(mean(x^2) + eps), per row, without mean or bias (Zhang and Sennrich, "Root Mean
 * Square Layer Normalization", 2019). Statistics are kept in F32 whatever the type.
 */
public final class RmsNorm implements Op {
    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** Writes y [N, D] and inverse [N], the 1 / sqrt(mean(x^2) + eps) of each row, from x [N, D] and w [D]. */
        void forward(Tensor x, Tensor weight, float eps, Tensor y, Tensor inverse);

        /** Gradients of x and of the weight; either target may be null. */
        void backward(Tensor x, Tensor weight, Tensor inverse, Tensor dy, Target dx, Target dweight);
    }

    /** Normalises the rows of x [..., D] with scale weight [D]. */
    public static Tensor apply(Tape tape, Tensor x, Tensor weight, float eps) {
        Checks.shapes(weight.shape().rank() == 1 && weight.count() == x.shape().columns(), "rms_norm",
                "x [N, D] and weight [D]",
                x, weight);
        Checks.sameFloats("rms_norm", x, weight);
        Tensor y = tape.allocate(x.dtype(), x.shape(), "rms_norm");
        Tensor inverse = tape.allocate(x.dtype().accumulator(), Shape.of(x.shape().rows()), "rms_norm.inverse");
        Kernel kernel = tape.kernel(Kernel.class, x.dtype());
        kernel.forward(x, weight, eps, y, inverse);
        if (tape.tracks(x, weight)) {
            tape.record("rms_norm", y,
                    gradients -> kernel.backward(x, weight, inverse, gradients.of(y), gradients.into(x),
                            gradients.into(weight)),
                    inverse);
        }
        return y;
    }

    @Override
    public String name() {
        return "rms_norm";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        return List.of(TimedCase.streaming(run("rms_norm", OpCase.TIGHT, s.tokens(), s.width()), 2 * s.stream(),
                3 * s.stream()));
    }

    @Override
    public List<OpCase> cases() {
        // Of one column y hardly depends on x: two terms, some hundred times as large as the gradient, cancel.
        return List.of(run("odd width", OpCase.TIGHT, 7, 13), run("one row", OpCase.TIGHT, 1, 64),
                run("one column", 100 * OpCase.TIGHT, 5, 1), run("many rows", OpCase.TIGHT, 131, 48),
                run("no row", OpCase.TIGHT, 0, 8));
    }

    private static OpCase run(String name, double tolerance, long rows, long columns) {
        return OpCase.named(name).input("x", rows, columns).input("weight", columns).tolerance(tolerance)
                .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(1), 1e-6f)));
    }
}
