package io.mixt5.kernels.cuda;

import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Attention;
import io.mixt5.engine.op.RelativePosition;
import io.mixt5.engine.op.SequenceLayout;

/** What the kernels of attention read besides tensors: where sequences lie, which rows a block takes, and buckets. */
final class AttentionTables {
    private AttentionTables() {
    }

    /** The layout as {@code Sequence} structures. */
    static int[] sequences(SequenceLayout layout) {
        int[][] columns = {layout.queryStart(), layout.queryCount(), layout.keyStart(), layout.keyCount(),
            layout.queryPosition()};
        int[] table = new int[columns.length * layout.sequences()];
        for (int i = 0; i < table.length; i++) {
            table[i] = columns[i % columns.length][i / columns.length];
        }
        return table;
    }

    /** {@code Tile} structures, each a sequence's number and its first row: up to {@code rows} rows of one sequence. */
    static int[] tiles(int[] counts, int rows) {
        int tiles = 0;
        for (int count : counts) {
            tiles += Math.ceilDiv(count, rows);
        }
        int[] table = new int[2 * tiles];
        int at = 0;
        for (int b = 0; b < counts.length; b++) {
            for (int first = 0; first < counts[b]; first += rows) {
                table[at++] = b;
                table[at++] = first;
            }
        }
        return table;
    }

    /**
     * How far {@link #buckets} goes: as far as any key is from any query, but not beyond the maximum distance, from which
     * on all distances share a bucket.
     */
    static int reach(Attention.Spec spec) {
        SequenceLayout layout = spec.layout();
        int reach = 0;
        for (int b = 0; b < layout.sequences(); b++) {
            int first = layout.queryPosition()[b];
            reach = Math.max(reach, Math.max(first + layout.queryCount()[b], layout.keyCount()[b] - first));
        }
        return Math.min(reach, spec.maxDistance());
    }

    /** The bucket of each distance from -reach to reach. */
    static int[] buckets(Tensor table, Attention.Spec spec, int reach) {
        int count = (int) table.shape().dim(0);
        int[] buckets = new int[2 * reach + 1];
        for (int i = 0; i < buckets.length; i++) {
            buckets[i] = RelativePosition.bucket(i - reach, spec.bidirectional(), count, spec.maxDistance());
        }
        return buckets;
    }
}
