package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Attention;
import io.mixt5.engine.op.RelativePosition;
import io.mixt5.engine.op.SequenceLayout;

/**
 * The position bias of one call of attention, laid out by distance: as it depends on key - query alone, the biases of a
 * query's keys are a piece of one line per head, which is read and summed into as a plain vector.
 *
 * <p>The lines live in working memory of the thread that makes them, for the length of the call; all workers read them.
 */
final class RelativeBias {
    private static final int LINES = Scratch.newSlot();
    private static final int BUCKETS = Scratch.newSlot();

    private final Tensor table;
    /** Place of distance 0 in a line. */
    private final int origin;
    /** Distances in a line. */
    private final int length;
    private final long buckets;
    private final long lines;

    private RelativeBias(Tensor table, int origin, int length) {
        this.table = table;
        this.origin = origin;
        this.length = length;
        buckets = Scratch.get(BUCKETS, (long) Integer.BYTES * length);
        lines = Scratch.get(LINES, lineBytes() * heads());
    }

    /** The biases of {@code table} [buckets, H], or zeros when it is null. */
    static RelativeBias of(Tensor table, Attention.Spec spec) {
        SequenceLayout layout = spec.layout();
        int back = 0;
        int ahead = 0;
        for (int b = 0; b < layout.sequences(); b++) {
            int first = layout.queryPosition()[b];
            back = Math.max(back, first + layout.queryCount()[b] - 1);
            ahead = Math.max(ahead, layout.keyCount()[b] - 1 - first);
        }
        if (table == null) {
            RelativeBias none = new RelativeBias(null, 0, layout.keyStride());
            Memory.fill(none.lines, none.lineBytes(), (byte) 0);
            return none;
        }
        RelativeBias bias = new RelativeBias(table, back, back + ahead + 1);
        bias.findBuckets(spec);
        bias.expand();
        return bias;
    }

    private int heads() {
        return table == null ? 1 : (int) table.shape().dim(1);
    }

    /** Bytes of a line; a vector that begins at or before its last distance stays inside. */
    long lineBytes() {
        return Float.BYTES * ((long) length + Lanes.FLOATS);
    }

    private void findBuckets(Attention.Spec spec) {
        int count = (int) table.shape().dim(0);
        for (int i = 0; i < length; i++) {
            Memory.setInt(buckets + (long) Integer.BYTES * i,
                    RelativePosition.bucket(i - origin, spec.bidirectional(), count, spec.maxDistance()));
        }
    }

    private int bucket(int place) {
        return Memory.getInt(buckets + (long) Integer.BYTES * place);
    }

    private void expand() {
        int heads = heads();
        for (int head = 0; head < heads; head++) {
            long line = lines + lineBytes() * head;
            for (int i = 0; i < length; i++) {
                long from = table.address() + (long) Float.BYTES * (bucket(i) * heads + head);
                Memory.setFloat(line + (long) Float.BYTES * i, Memory.getFloat(from));
            }
            Memory.fill(line + (long) Float.BYTES * length, (long) Float.BYTES * Lanes.FLOATS, (byte) 0);
        }
    }

    /** Address of the biases which the query at {@code position} gives its keys 0, 1, 2, ... */
    long line(int head, int position) {
        return table == null ? lines : place(lines + lineBytes() * head, position);
    }

    /** Where in {@code line} the distances of the keys 0, 1, 2, ... from the query at {@code position} begin. */
    long place(long line, int position) {
        return line + Float.BYTES * ((long) origin - position);
    }

    /** Writes the sums of a line of gradients by bucket, as doubles, to {@code sums}. */
    void sumByBucket(long line, long sums) {
        Memory.fill(sums, Double.BYTES * table.shape().dim(0), (byte) 0);
        for (int i = 0; i < length; i++) {
            long sum = sums + (long) Double.BYTES * bucket(i);
            Memory.setDouble(sum, Memory.getDouble(sum) + Memory.getFloat(line + (long) Float.BYTES * i));
        }
    }
}
