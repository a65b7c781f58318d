package io.mixt5.engine.op;

import io.mixt5.engine.Dropout;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import io.mixt5.engine.TimedCase.Cost;
import java.util.Arrays;
import java.util.List;

/**
 * T5's attention over a ragged batch, for all heads: out = dropout(softmax(q k^T + bias)) v, without scaling (Raffel et
 * al., JMLR 2020, section 2.1). The bias of head h for a query at i and a key at j is table[bucket(j - i)][h].
 *
 * <p>Head h of a row of q, k, v and out is its elements h * K to (h + 1) * K. Scores are never kept: the backward
 * computes them again from each row's log-sum-exp, as FlashAttention does (Dao et al., 2022).
 */
public final class Attention implements Op {
    /**
     * How to attend.
     *
     * @param heads number of heads H
     * @param causal whether keys after the query are hidden
     * @param bidirectional whether the bias tells keys before from keys after the query (the encoder's way)
     * @param maxDistance where the bias stops telling distances apart
     * @param layout where the sequences lie
     * @param dropout on the weights; element index ((query row * H + head) * layout.keyStride() + key within the
     * sequence)
     */
    public record Spec(int heads, boolean causal, boolean bidirectional, int maxDistance, SequenceLayout layout,
            Dropout dropout) {
        /** Checks the number of heads. */
        public Spec {
            if (heads < 1) {
                throw new IllegalArgumentException("attention needs at least one head, not " + heads);
            }
        }
    }

    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /**
         * Writes out [Nq, H * K] and lse [Nq, H], the log of each row's sum of exponentials, from q [Nq, H * K] and k,
         * v [Nk, H * K]; table [buckets, H] may be null. A query that sees no key gives zeros and an lse of minus
         * infinity.
         */
        void forward(Tensor q, Tensor k, Tensor v, Tensor table, Spec spec, Tensor out, Tensor lse);

        /**
         * Gradients of q, k, v and the table; any target may be null. Rows that belong to no sequence get zeros (or
         * keep what they have when accumulating).
         */
        void backward(Tensor q, Tensor k, Tensor v, Tensor table, Spec spec, Tensor out, Tensor lse, Tensor dout,
                Target dq,
                Target dk, Target dv, Target dtable);
    }

    /**
     * Attends; {@code table} [buckets, H] may be null for no bias. Rows of q outside the layout give undefined rows.
     */
    public static Tensor apply(Tape tape, Tensor q, Tensor k, Tensor v, Tensor table, Spec spec) {
        Checks.shapes(
                q.shape().columns() == k.shape().columns() && k.shape().equals(v.shape())
                        && q.shape().columns() % spec.heads == 0
                        && spec.layout.queryRows() <= q.shape().rows() && spec.layout.keyRows() <= k.shape().rows(),
                "attention", "q [Nq, H*K], k and v [Nk, H*K] with the layout's rows", q, k, v);
        Checks.shapes(table == null || table.shape().rank() == 2 && table.shape().dim(1) == spec.heads, "attention",
                "a bias table [buckets, H]", table);
        Checks.shapes(table == null || RelativePosition.fits(spec.bidirectional, (int) table.shape().dim(0),
                spec.maxDistance), "attention", "a maximum distance past the buckets of one distance each, not "
                        + spec.maxDistance,
                table);
        Checks.sameFloats("attention", q, k, v, table);
        Tensor out = tape.allocate(q.dtype(), q.shape(), "attention");
        Tensor lse = tape.allocate(q.dtype().accumulator(), Shape.of(q.shape().rows(), spec.heads), "attention.lse");
        Kernel kernel = tape.kernel(Kernel.class, q.dtype());
        kernel.forward(q, k, v, table, spec, out, lse);
        if (tape.tracks(q, k, v, table)) {
            tape.record("attention", out,
                    gradients -> kernel.backward(q, k, v, table, spec, out, lse, gradients.of(out),
                            gradients.into(q), gradients.into(k), gradients.into(v), gradients.into(table)),
                    lse);
        }
        return out;
    }

    @Override
    public String name() {
        return "attention";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        int[] sources = new int[s.sequences()];
        Arrays.fill(sources, s.length());
        int[] targets = new int[s.sequences()];
        Arrays.fill(targets, Math.max(1, s.length() / 16));
        Dropout dropout = new Dropout(0.1f, 5, 4, 3);
        SequenceLayout self = SequenceLayout.self(sources);
        long scores = (long) s.sequences() * s.length() * s.length();
        OpCase cross = cross("attention_cross", s.heads(), s.headWidth(), SequenceLayout.cross(targets, sources),
                dropout);
        return List.of(
                timed(biased("attention_encoder", s.heads(), s.headWidth(), self, false, dropout), s, scores, 4, 0),
                timed(biased("attention_decoder", s.heads(), s.headWidth(), self, true, dropout), s, scores / 2, 4, 0),
                timed(cross, s, scores / s.length() * targets[0], 2, 2));
    }

    /** Two products forward; backward five, as the scores are computed again. */
    private static TimedCase timed(OpCase work, Sizes s, long scores, int longTensors, int shortTensors) {
        long inner = (long) s.heads() * s.headWidth();
        long bytes = 4 * inner * s.sequences() * (longTensors * (long) s.length()
                + shortTensors * Math.max(1L, s.length() / 16));
        return new TimedCase(work, new Cost(bytes, 2 * 2 * scores * inner),
                new Cost(2 * bytes, 5 * 2 * scores * inner));
    }

    @Override
    public List<OpCase> cases() {
        Dropout dropout = new Dropout(0.2f, 5, 4, 3);
        SequenceLayout ragged = SequenceLayout.self(5, 1, 9);
        return List.of(biased("encoder, ragged", 2, 8, ragged, false, Dropout.NONE),
                biased("decoder, ragged", 3, 5, ragged, true, Dropout.NONE),
                biased("encoder, dropout", 2, 8, ragged, false, dropout),
                biased("decoder, dropout", 1, 16, ragged, true, dropout),
                biased("beyond the maximum distance", 1, 4, SequenceLayout.self(150), false, Dropout.NONE),
                biased("longer than a block", 2, 8, SequenceLayout.self(67, 33), true, dropout),
                cross("cross", Dropout.NONE),
                cross("cross, dropout", dropout), cached(), shared());
    }

    private static OpCase biased(String name, int heads, int width, SequenceLayout layout, boolean causal,
            Dropout dropout) {
        Spec spec = new Spec(heads, causal, !causal, 128, layout, dropout);
        long rows = layout.queryRows();
        return OpCase.named(name).input("q", 0.6, rows, heads * width).input("k", 0.6, rows, heads * width)
                .input("v", rows, heads * width).input("table", 32, heads).tolerance(5e-5)
                .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(1), in.get(2), in.get(3), spec)));
    }

    private static OpCase cross(String name, Dropout dropout) {
        return cross(name, 2, 6, SequenceLayout.cross(new int[]{3, 4, 1}, new int[]{7, 2, 11}), dropout);
    }

    private static OpCase cross(String name, int heads, int headWidth, SequenceLayout layout, Dropout dropout) {
        Spec spec = new Spec(heads, false, false, 128, layout, dropout);
        int width = heads * headWidth;
        return OpCase.named(name).input("q", 0.6, layout.queryRows(), width).input("k", 0.6, layout.keyRows(), width)
                .input("v", layout.keyRows(), width).tolerance(5e-5)
                .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(1), in.get(2), null, spec)));
    }

    /** One tensor as keys and values, and one as all three. */
    private static OpCase shared() {
        Spec spec = new Spec(2, true, false, 128, SequenceLayout.self(5, 1, 9), Dropout.NONE);
        return OpCase.named("same tensor twice").input("q", 0.6, 15, 12).input("x", 0.6, 15, 12).tolerance(5e-5)
                .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(1), in.get(1), null, spec),
                        apply(tape, in.get(1), in.get(1), in.get(1), null, spec)));
    }

    /** Three rows of a cache of 8 places each, with one query each, the second sequence being finished. */
    private static OpCase cached() {
        SequenceLayout layout = new SequenceLayout(new int[]{0, 1}, new int[]{1, 1}, new int[]{0, 16}, new int[]{4, 6},
                new int[]{3, 5});
        Spec spec = new Spec(2, true, false, 128, layout, Dropout.NONE);
        return OpCase.named("key/value cache").input("q", 0.6, 2, 12).input("k", 0.6, 24, 12).input("v", 24, 12)
                .input("table", 32, 2)
                .tolerance(5e-5)
                .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(1), in.get(2), in.get(3), spec)));
    }
}
