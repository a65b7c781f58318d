package io.mixt5.engine.op;

import io.mixt5.engine.DType;
import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Philox;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import java.util.List;

/**
 * The k most probable columns of each row of logits, with the logarithms of their probabilities, log(softmax(x)): what a
 * generating decoder goes on from, without the whole row leaving the device. No gradient.
 */
public final class TopK implements Op {
    /** What a search with four beams asks for. */
    private static final int BEAM_CANDIDATES = 8;

    /**
     * Each row's best columns, the largest first; the lower column of equals comes first.
     *
     * @param logProbabilities [N, k] in the accumulator type
     * @param columns I32 [N, k]
     */
    public record Best(Tensor logProbabilities, Tensor columns) {
    }

    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /**
         * Fills {@code best} from x [N, V], k being at least 1 and at most V. In the order NaN counts as minus infinity; the
         * probabilities of a row that holds one, or nothing but minus infinity, are NaN.
         */
        void forward(Tensor x, Best best);
    }

    /** The k best columns of each row of x [N, V], k being at least 1 and at most V. */
    public static Best apply(Tape tape, Tensor x, int k) {
        Checks.shapes(x.shape().rank() == 2 && k >= 1 && k <= x.shape().columns(), "top_k",
                "logits [N, V] with V >= k >= 1, k being " + k + ",", x);
        Checks.sameFloats("top_k", x);
        Shape shape = Shape.of(x.shape().rows(), k);
        Best best = new Best(tape.allocate(x.dtype().accumulator(), shape, "top_k"),
                tape.allocate(DType.I32, shape, "top_k.columns"));
        tape.kernel(Kernel.class, x.dtype()).forward(x, best);
        return best;
    }

    @Override
    public String name() {
        return "top_k";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        OpCase.Fill fill = (stream, index) -> Philox.normal(3, stream, 0, index);
        return List.of(TimedCase.streaming(run("top_k", fill, s.targets(), s.vocabulary(), BEAM_CANDIDATES),
                4L * s.targets() * s.vocabulary(), 0));
    }

    @Override
    public List<OpCase> cases() {
        OpCase.Fill normal = (stream, index) -> 3 * Philox.normal(3, stream, 0, index);
        OpCase.Fill ties = (stream, index) -> index * 7 % 5;
        OpCase.Fill rising = (stream, index) -> index % 64 * 0.25;
        OpCase.Fill negative = (stream, index) -> -1 - index % 11;
        OpCase.Fill shutOut = (stream, index) -> index % 3 == 1 ? Double.NEGATIVE_INFINITY : -(index % 7);
        OpCase.Fill odd = (stream, index) -> index == 5 ? Double.NaN : index == 40 ? Double.POSITIVE_INFINITY : index;
        return List.of(run("one", normal, 5, 131, 1), run("eight", normal, 4, 1031, 8),
                run("fifty", normal, 2, 2048, 50), run("ties", ties, 6, 23, 9), run("rising", rising, 2, 64, 7),
                run("all negative", negative, 2, 37, 3), run("whole rows", normal, 3, 45, 45),
                run("one column", normal, 3, 1, 1), run("minus infinity", shutOut, 2, 30, 25),
                run("not numbers", odd, 3, 32, 4), run("no row", normal, 0, 8, 2));
    }

    private static OpCase run(String name, OpCase.Fill fill, long rows, long columns, int k) {
        return OpCase.named(name).constant("x", fill, rows, columns).run((tape, in) -> {
            Best best = apply(tape, in.get(0), k);
            return List.of(best.logProbabilities(), best.columns());
        });
    }
}
