package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * Sums down the columns of a matrix: stripes of rows are summed in parallel, each into a row of its own in the caller's
 * scratch memory, and these are added in order. How many there are depends on the sizes alone.
 */
final class Stripes {
    private static final int MOST = 64;

    private final long sums;
    private final long rows;
    private final int columns;
    /** Rows of a stripe. */
    private final long height;

    /** What is done with a stripe. */
    @FunctionalInterface
    interface Body {
        /**
         * Adds the rows from {@code from} up to but without {@code to}.
         *
         * @param stripe the stripe's number
         * @param sum address of the stripe's sums, zeros at first
         */
        void run(int stripe, long from, long to, long sum);
    }

    /** Cuts a matrix; {@code slot} is the caller's slot in {@link Scratch}. */
    Stripes(int slot, long rows, int columns) {
        this.rows = rows;
        this.columns = columns;
        this.height = Math.max(Chunks.rows(columns), (rows + MOST - 1) / MOST);
        this.sums = Scratch.get(slot, 4L * count() * columns);
    }

    /** Number of stripes, at most 64. */
    int count() {
        return (int) ((rows + height - 1) / height);
    }

    /** Runs {@code body} for every stripe. */
    void forEach(Body body) {
        WorkerPool.forRange(rows, height, (from, to, worker) -> {
            int stripe = (int) (from / height);
            long sum = sums + 4L * stripe * columns;
            Memory.fill(sum, 4L * columns, (byte) 0);
            body.run(stripe, from, to, sum);
        });
    }

    /** Writes the columns' sums to {@code address}, or adds them to what is there. */
    void addUp(long address, boolean accumulate) {
        for (int i = 0; i < columns; i += Lanes.FLOATS) {
            VectorMask<Float> lanes = Floats.first(columns - i);
            FloatVector sum = Floats.all(0);
            for (int stripe = 0; stripe < count(); stripe++) {
                sum = sum.add(Floats.load(sums + 4L * ((long) stripe * columns + i), lanes));
            }
            Floats.put(address + 4L * i, sum, accumulate, lanes);
        }
    }
}
