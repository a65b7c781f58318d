package io.mixt5.engine.op;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import io.mixt5.engine.TimedCase.Cost;
import java.util.List;

/** y = x W^T, with W [out, in] as PyTorch and checkpoints have it; no bias (T5 has none). */
public final class Linear implements Op {
    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** y [N, out] = x [N, in] weight^T. */
        void forward(Tensor x, Tensor weight, Tensor y);

        /** dx [N, in] = dy [N, out] weight. */
        void backwardInput(Tensor dy, Tensor weight, Target dx);

        /** dweight [out, in] = dy^T x. */
        void backwardWeight(Tensor dy, Tensor x, Target dweight);
    }

    /** x [..., in] times weight [out, in] transposed: [..., out]. */
    public static Tensor apply(Tape tape, Tensor x, Tensor weight) {
        Checks.shapes(x.shape().rank() > 0 && weight.shape().rank() == 2
                && weight.shape().dim(1) == x.shape().columns(), "linear", "x [N, in] and weight [out, in]", x, weight);
        Checks.sameFloats("linear", x, weight);
        Tensor y = tape.allocate(x.dtype(), x.shape().withColumns(weight.shape().dim(0)), "linear");
        Kernel kernel = tape.kernel(Kernel.class, x.dtype());
        kernel.forward(x, weight, y);
        if (tape.tracks(x, weight)) {
            tape.record("linear", y, gradients -> {
                Tensor dy = gradients.of(y);
                Target dweight = gradients.into(weight);
                if (dweight != null) {
                    kernel.backwardWeight(dy, x, dweight);
                }
                Target dx = gradients.into(x);
                if (dx != null) {
                    kernel.backwardInput(dy, weight, dx);
                }
            });
        }
        return y;
    }

    @Override
    public String name() {
        return "linear";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        long products = 2L * s.rows() * s.width() * s.hidden();
        long x = 4L * s.rows() * s.width();
        long y = 4L * s.rows() * s.hidden();
        long weight = 4L * s.width() * s.hidden();
        return List.of(new TimedCase(run("linear", s.rows(), s.width(), s.hidden()),
                new Cost(x + y + weight, products), new Cost(2 * (x + y + weight), 2 * products)));
    }

    @Override
    public List<OpCase> cases() {
        return List.of(run("odd sizes", 5, 13, 7), run("one row", 1, 32, 48), run("wide", 33, 40, 130),
                run("deep", 9, 300, 17),
                run("no row", 0, 8, 8),
                OpCase.named("input used twice").input("x", 6, 8).input("a", 8, 8).input("b", 8, 8).tolerance(5e-5)
                        .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(1)),
                                apply(tape, in.get(0), in.get(2)))),
                OpCase.named("same tensor twice").input("x", 7, 13).tolerance(5e-5)
                        .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(0)))));
    }

    private static OpCase run(String name, long rows, long in, long out) {
        return OpCase.named(name).input("x", rows, in).input("weight", out, in)
                .run((tape, inputs) -> List.of(apply(tape, inputs.get(0), inputs.get(1))));
    }
}
