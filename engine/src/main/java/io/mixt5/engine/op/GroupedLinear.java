package io.mixt5.engine.op;

import io.mixt5.engine.Gradients.Counted;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import io.mixt5.engine.TimedCase.Cost;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A linear layer of E experts, each for its own rows: rows offsets[e] to offsets[e + 1] of y are those of x times
 * W_e^T, with W_e [out, in] (Gale et al., "MegaBlocks", 2023, section 3). Work is proportional to the rows in use.
 */
public final class GroupedLinear implements Op {
    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** y [R, out] from x [R, in], E weights [out, in] and offsets (I32 [E + 1]); zeros from row offsets[E]. */
        void forward(Tensor x, List<Tensor> weights, Tensor offsets, Tensor y);

        /** dx [R, in] = dy W_e, row by row; zeros from row offsets[E]. */
        void backwardInput(Tensor dy, List<Tensor> weights, Tensor offsets, Target dx);

        /**
         * dW_e [out, in] = dy^T x over the rows of expert e, so zeros where it has none; and how many rows those are.
         *
         * @param dweights a target for each expert, or null; no gradient goes to the same tensor as another, but rows
         * may: the first of such targets is the one that may not accumulate
         */
        void backwardWeights(Tensor dy, Tensor x, Tensor offsets, List<Counted> dweights);
    }

    /**
     * Multiplies each expert's rows by its weight.
     *
     * @param x [R, in]
     * @param weights of E experts, all [out, in]; their gradients are counted, see {@link Tensor#gradRows}
     * @param offsets I32 [E + 1], not decreasing, from 0 to at most R
     * @return [R, out]; rows of no expert are zeros
     */
    public static Tensor apply(Tape tape, Tensor x, List<Tensor> weights, Tensor offsets) {
        Tensor first = weights.getFirst();
        Checks.ints("grouped_linear", offsets);
        Checks.shapes(offsets.count() == weights.size() + 1, "grouped_linear",
                "offsets [E + 1] for " + weights.size() + " experts", offsets);
        for (Tensor weight : weights) {
            Checks.shapes(weight.shape().rank() == 2 && weight.shape().equals(first.shape())
                    && x.shape().rank() == 2 && weight.shape().dim(1) == x.shape().columns(), "grouped_linear",
                    "x [R, in] and weights [out, in] of one shape", x, first, weight);
            Checks.sameFloats("grouped_linear", x, weight);
        }
        Tensor y = tape.allocate(x.dtype(), x.shape().withColumns(first.shape().dim(0)), "grouped_linear");
        Kernel kernel = tape.kernel(Kernel.class, x.dtype());
        kernel.forward(x, weights, offsets, y);
        boolean weightsTracked = tape.tracks(weights.toArray(Tensor[]::new));
        if (weightsTracked || tape.tracks(x)) {
            tape.record("grouped_linear", y, gradients -> {
                Tensor dy = gradients.of(y);
                if (weightsTracked) {
                    // An expert without rows has no gradient, as in PyTorch, and only the device knows which have none.
                    List<Counted> dweights = new ArrayList<>();
                    weights.forEach(weight -> dweights.add(gradients.intoCounted(weight)));
                    kernel.backwardWeights(dy, x, offsets, dweights);
                }
                Target dx = gradients.into(x);
                if (dx != null) {
                    kernel.backwardInput(dy, weights, offsets, dx);
                }
            });
        }
        return y;
    }

    @Override
    public String name() {
        return "grouped_linear";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        int rows = s.rows() * s.topK();
        int[] offsets = new int[s.experts() + 1];
        Arrays.setAll(offsets, e -> (int) ((long) rows * e / s.experts()));
        long products = 2L * rows * s.width() * s.hidden();
        long x = 4L * rows * s.width();
        long y = 4L * rows * s.hidden();
        long weights = 4L * s.experts() * s.width() * s.hidden();
        return List.of(new TimedCase(run("grouped_linear", rows, s.width(), s.hidden(), offsets),
                new Cost(x + y + weights, products), new Cost(2 * (x + y + weights), 2 * products)));
    }

    @Override
    public List<OpCase> cases() {
        return List.of(run("uneven", 13, 7, 5, 0, 4, 5, 13), run("experts without rows", 6, 9, 11, 0, 0, 4, 4, 6, 6),
                run("rows of no expert", 12, 16, 16, 0, 3, 7, 8), run("all rows to one expert", 9, 8, 8, 0, 0, 9, 9),
                run("one row", 1, 32, 48, 0, 0, 1), run("one expert", 5, 13, 7, 0, 5),
                run("no row", 0, 8, 8, 0, 0, 0), run("no row in use", 4, 8, 8, 0, 0, 0),
                run("more than a block", 150, 70, 200, 0, 100, 101, 149), shared());
    }

    private static OpCase shared() {
        return OpCase.named("experts that share a weight").ints("offsets", 0, 2, 3, 7).input("x", 7, 6)
                .input("shared", 5, 6).input("own", 5, 6).tolerance(5e-5).run((tape, in) -> List.of(
                        apply(tape, in.get(1), List.of(in.get(2), in.get(3), in.get(2)), in.get(0))));
    }

    private static OpCase run(String name, long rows, long in, long out, int... offsets) {
        OpCase.Builder builder = OpCase.named(name).ints("offsets", offsets).input("x", rows, in).tolerance(5e-5);
        for (int e = 0; e < offsets.length - 1; e++) {
            builder.input("weight " + e, out, in);
        }
        return builder.run((tape, inputs) -> List.of(
                apply(tape, inputs.get(1), inputs.subList(2, inputs.size()), inputs.get(0))));
    }
}
