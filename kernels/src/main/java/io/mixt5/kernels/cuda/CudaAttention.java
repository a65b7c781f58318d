package io.mixt5.kernels.cuda;

import io.mixt5.engine.DType;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Attention;
import io.mixt5.engine.op.Attention.Spec;
import io.mixt5.engine.op.SequenceLayout;
import java.util.BitSet;

/**
 * {@link Attention} by attention.cu and attention_backward.cu, for heads of up to 128 elements and, in the backward, up
 * to 256 buckets of positions.
 *
 * <p>In the backward no two sequences may share rows, as a row's gradient is written by its sequence.
 */
public final class CudaAttention extends CudaKernel implements Attention.Kernel {
    private static final int THREADS = 256;
    private static final int WARPS = THREADS / 32;
    /** The widths that heads are padded to. */
    private static final int NARROW = 64;
    private static final int WIDE = 128;
    /** A warp's rows times the width, forward and backward. */
    private static final int FORWARD_ELEMENTS = 512;
    private static final int BACKWARD_ELEMENTS = 256;

    /** On {@code gpu}. */
    public CudaAttention(CudaGpu gpu) {
        super(gpu, "attention");
    }

    /** The backward's module is another one, so that inference does not load it. */
    private static final class Backward extends CudaKernel {
        Backward(CudaGpu gpu) {
            super(gpu, "attention_backward");
        }
    }

    @Override
    public void forward(Tensor q, Tensor k, Tensor v, Tensor table, Spec spec, Tensor out, Tensor lse) {
        int[] tiles = AttentionTables.tiles(spec.layout().queryCount(), WARPS * FORWARD_ELEMENTS / width(q, spec));
        attend(this, "attention_forward", q, k, v, table, spec, tiles).tensor(out).tensor(lse).run(tiles.length / 2,
                spec.heads(), 1, THREADS, 0);
    }

    @Override
    public void backward(Tensor q, Tensor k, Tensor v, Tensor table, Spec spec, Tensor out, Tensor lse, Tensor dout,
            Target dq, Target dk, Target dv, Target dtable) {
        SequenceLayout layout = spec.layout();
        zeroUnused(dq, layout.queryStart(), layout.queryCount());
        zeroUnused(dk, layout.keyStart(), layout.keyCount());
        zeroUnused(dv, layout.keyStart(), layout.keyCount());
        Backward kernels = new Backward(gpu);
        int rows = WARPS * BACKWARD_ELEMENTS / width(q, spec);
        int[] queries = AttentionTables.tiles(layout.queryCount(), rows);
        try (Scope scope = new Scope(q.device())) {
            Tensor sums = scope.allocate(DType.F32, lse.shape(), "attention.row_sums");
            attend(kernels, "attention_row_sums", q, k, v, table, spec, queries).tensor(out).tensor(dout).int32(rows)
                    .tensor(sums).run(queries.length / 2, spec.heads(), 1, THREADS, 0);
            if (dq != null || dtable != null) {
                Tensor buckets = dtable == null ? null : bucketSums(scope, queries.length / 2, table, spec);
                target(attend(kernels, "attention_dqueries", q, k, v, table, spec, queries).tensor(dout).tensor(lse)
                        .tensor(sums), dq).tensor(buckets).int32(dtable == null ? 0 : (int) table.shape().dim(0))
                        .run(queries.length / 2, spec.heads(), 1, THREADS, 0);
                if (dtable != null) {
                    target(kernels.launch("attention_dtable", q.dtype()).tensor(buckets).int32(queries.length / 2)
                            .int32(spec.heads()).int32((int) table.shape().dim(0)), dtable)
                            .run(blocks(table.count(), THREADS), THREADS);
                }
            }
            if (dk != null || dv != null) {
                int[] keys = AttentionTables.tiles(layout.keyCount(), rows);
                target(target(attend(kernels, "attention_dkeys", q, k, v, table, spec, keys).tensor(dout).tensor(lse)
                        .tensor(sums), dk), dv).run(keys.length / 2, spec.heads(), 1, THREADS, 0);
            }
        }
    }

    private static Tensor bucketSums(Scope scope, int tiles, Tensor table, Spec spec) {
        long buckets = table.shape().dim(0);
        if (buckets > THREADS) {
            throw new UnsupportedOperationException("CUDA's attention takes gradients of at most " + THREADS
                    + " buckets of relative positions, not " + buckets + "; use fewer or another device");
        }
        return scope.allocate(DType.F32, Shape.of(tiles, spec.heads(), buckets), "attention.bucket_sums");
    }

    private static Launch target(Launch launch, Target target) {
        return launch.tensor(target == null ? null : target.tensor()).bool(target != null && target.accumulate());
    }

    /** The width that heads are padded to. */
    private static int width(Tensor q, Spec spec) {
        long size = q.shape().columns() / spec.heads();
        if (size > WIDE) {
            throw new UnsupportedOperationException("CUDA's attention takes heads of at most " + WIDE
                    + " elements, not " + size + "; use more and smaller heads or another device");
        }
        return size <= NARROW ? NARROW : WIDE;
    }

    /** The launch of a kernel with {@code ATTENTION_PARAMETERS}. */
    private Launch attend(CudaKernel kernels, String name, Tensor q, Tensor k, Tensor v, Tensor table, Spec spec,
            int[] tiles) {
        int reach = table == null ? 0 : AttentionTables.reach(spec);
        long buckets = table == null ? 0 : gpu.table(AttentionTables.buckets(table, spec, reach));
        long sequences = gpu.table(AttentionTables.sequences(spec.layout()));
        Launch launch = kernels.launch(name + "_" + width(q, spec), q.dtype()).tensor(q).tensor(k).tensor(v)
                .tensor(table).address(buckets).int32(reach).address(sequences).address(gpu.table(tiles))
                .int32(spec.heads()).int32((int) (q.shape().columns() / spec.heads())).bool(spec.causal())
                .int64(spec.layout().keyStride());
        return dropout(launch, spec.dropout());
    }

    /** Zeros a target of which some rows belong to no sequence, unless it accumulates. */
    private static void zeroUnused(Target target, int[] starts, int[] counts) {
        if (target == null || target.accumulate()) {
            return;
        }
        BitSet used = new BitSet();
        for (int b = 0; b < starts.length; b++) {
            used.set(starts[b], starts[b] + counts[b]);
        }
        if (used.cardinality() < target.tensor().shape().rows()) {
            target.tensor().zero();
        }
    }
}
