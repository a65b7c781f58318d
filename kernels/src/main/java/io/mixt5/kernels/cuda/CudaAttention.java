package io.mixt5.kernels.cuda;

import io.mixt5.engine.DType;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Attention;
import io.mixt5.engine.op.Attention.Spec;
import io.mixt5.engine.op.RelativePosition;
import io.mixt5.engine.op.SequenceLayout;
import java.util.Arrays;

/** {@link Attention} by attention.cu, for heads of up to 128 elements. */
public final class CudaAttention extends CudaKernel implements Attention.Kernel {
    private static final int WARPS = 4;
    private static final int THREADS = WARPS * 32;
    /** Rows that a block owns, and rows of the other side in a tile. */
    private static final int OWNED = 16;
    private static final int TILE = 32;
    private static final int MOST_WIDTH = 128;

    /** On {@code gpu}. */
    public CudaAttention(CudaGpu gpu) {
        super(gpu, "attention");
    }

    @Override
    public void forward(Tensor q, Tensor k, Tensor v, Tensor table, Spec spec, Tensor out, Tensor lse) {
        Call call = new Call(q, table, spec);
        int[] blocks = blocks(spec.layout().queryCount());
        int shared = floats(call.width + 1, OWNED + 2 * TILE);
        call.shape(launchShared(name("attention_forward", q.dtype()), shared).tensor(q).tensor(k).tensor(v)
                .tensor(table).tensor(out).tensor(lse), blocks)
                .run(blocks.length / 2, spec.heads(), 1, THREADS, shared);
    }

    @Override
    public void backward(Tensor q, Tensor k, Tensor v, Tensor table, Spec spec, Tensor out, Tensor lse, Tensor dout,
            Target dq, Target dk, Target dv, Target dtable) {
        zeroGaps(spec.layout().queryStart(), spec.layout().queryCount(), dq);
        zeroGaps(spec.layout().keyStart(), spec.layout().keyCount(), dk);
        zeroGaps(spec.layout().keyStart(), spec.layout().keyCount(), dv);
        try (Scope scope = new Scope(q.device())) {
            Call call = new Call(q, table, spec);
            Tensor delta = scope.allocate(DType.F32, lse.shape(), "attention.delta");
            int[] queryBlocks = blocks(spec.layout().queryCount());
            int space = floats(call.width + 1, 2 * OWNED + 2 * TILE);
            call.shape(launchShared(name("attention_delta", q.dtype()), space).tensor(q).tensor(k).tensor(v)
                    .tensor(table).tensor(dout).tensor(lse).tensor(delta), queryBlocks)
                    .run(queryBlocks.length / 2, spec.heads(), 1, THREADS, space);
            if (dq != null || dtable != null) {
                backwardQuery(call, scope, k, v, lse, dout, delta, dq, dtable);
            }
            if (dk != null || dv != null) {
                int[] blocks = blocks(spec.layout().keyCount());
                call.shape(launchShared(name("attention_backward_key", q.dtype()), space).tensor(q).tensor(k)
                        .tensor(v).tensor(table).tensor(dout).tensor(lse).tensor(delta).tensor(tensor(dk))
                        .bool(accumulates(dk)).tensor(tensor(dv)).bool(accumulates(dv)), blocks)
                        .run(blocks.length / 2, spec.heads(), 1, THREADS, space);
            }
        }
    }

    private void backwardQuery(Call call, Scope scope, Tensor k, Tensor v, Tensor lse, Tensor dout, Tensor delta,
            Target dq, Target dtable) {
        int heads = call.spec.heads();
        int[] blocks = blocks(call.spec.layout().queryCount());
        int buckets = dtable == null ? 0 : (int) call.table.shape().dim(0);
        Tensor partial = dtable == null
                ? null
                : scope.allocate(DType.F32, Shape.of(blocks.length / 2, heads, buckets), "attention.partial");
        int shared = floats(call.width + 1, 2 * OWNED + 2 * TILE) + floats(WARPS, 2 * TILE + buckets);
        DType dtype = call.q.dtype();
        call.shape(launchShared(name("attention_backward_query", dtype), shared).tensor(call.q).tensor(k).tensor(v)
                .tensor(call.table).tensor(dout).tensor(lse).tensor(delta).tensor(tensor(dq)).bool(accumulates(dq))
                .tensor(partial).int32(buckets), blocks).run(blocks.length / 2, heads, 1, THREADS, shared);
        if (dtable != null) {
            launch("attention_backward_table", dtype).tensor(partial).int32(blocks.length / 2).int32(heads)
                    .int32(buckets).tensor(dtable.tensor()).bool(dtable.accumulate())
                    .run(blocks((long) heads * buckets, THREADS), THREADS);
        }
    }

    private static String name(String kernel, DType dtype) {
        return kernel + "_" + suffix(dtype);
    }

    private static int floats(int columns, int rows) {
        return Float.BYTES * columns * rows;
    }

    private static Tensor tensor(Target target) {
        return target == null ? null : target.tensor();
    }

    private static boolean accumulates(Target target) {
        return target != null && target.accumulate();
    }

    /** Pairs (sequence, first row): the rows that each block owns. */
    private static int[] blocks(int[] counts) {
        int[] pairs = new int[2 * Arrays.stream(counts).map(count -> Math.ceilDiv(count, OWNED)).sum()];
        for (int sequence = 0, at = 0; sequence < counts.length; sequence++) {
            for (int first = 0; first < counts[sequence]; first += OWNED) {
                pairs[at++] = sequence;
                pairs[at++] = first;
            }
        }
        return pairs;
    }

    /** Zeros for rows that belong to no sequence; all, as the others are written later. */
    private static void zeroGaps(int[] starts, int[] counts, Target target) {
        boolean[] owned = new boolean[target == null ? 0 : Math.toIntExact(target.tensor().shape().rows())];
        int rows = 0;
        for (int b = 0; b < starts.length && target != null; b++) {
            for (int row = starts[b]; row < starts[b] + counts[b]; row++) {
                if (owned[row]) {
                    throw new UnsupportedOperationException(
                            "attention's gradients on CUDA take sequences that share no rows; row " + row + " has two");
                }
                owned[row] = true;
                rows++;
            }
        }
        if (rows < owned.length && !target.accumulate()) {
            target.tensor().zero();
        }
    }

    /** What the launches of one call share. */
    private final class Call {
        private final Tensor q;
        private final Tensor table;
        private final Spec spec;
        private final int width;
        private final long sequences;
        private final long buckets;

        Call(Tensor q, Tensor table, Spec spec) {
            this.q = q;
            this.table = table;
            this.spec = spec;
            width = Math.toIntExact(q.shape().columns() / spec.heads());
            if (width > MOST_WIDTH) {
                throw new UnsupportedOperationException(
                        "attention on CUDA takes heads of up to " + MOST_WIDTH + " elements, not " + width);
            }
            sequences = gpu.table(sequences(spec.layout()));
            buckets = table == null ? 0 : gpu.table(buckets((int) table.shape().dim(0)));
        }

        private static int[] sequences(SequenceLayout layout) {
            int[][] columns = {layout.queryStart(), layout.queryCount(), layout.keyStart(), layout.keyCount(),
                    layout.queryPosition()};
            int[] rows = new int[columns.length * layout.sequences()];
            Arrays.setAll(rows, i -> columns[i % columns.length][i / columns.length]);
            return rows;
        }

        /** The bucket of each distance from -maxDistance to maxDistance, beyond which they stay the same. */
        private int[] buckets(int count) {
            int[] buckets = new int[2 * spec.maxDistance() + 1];
            Arrays.setAll(buckets, i -> RelativePosition.bucket(i - spec.maxDistance(), spec.bidirectional(), count,
                    spec.maxDistance()));
            return buckets;
        }

        /** Adds the arguments that all kernels end with. */
        Launch shape(Launch launch, int[] blocks) {
            return dropout(launch.address(sequences).address(gpu.table(blocks)).address(buckets)
                    .int32(spec.maxDistance()).int32(spec.heads()).int32(width).bool(spec.causal())
                    .int32(spec.layout().keyStride()), spec.dropout());
        }
    }
}
