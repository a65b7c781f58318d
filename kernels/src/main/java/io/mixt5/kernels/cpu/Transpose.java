package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Transposes small matrices of 32-bit numbers, on the calling thread, two by two: a pair of neighbours moves as one
 * number of 64 bits.
 */
final class Transpose {
    /** The first of two neighbours is the lower half. */
    private static final ValueLayout.OfLong PAIR = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long LOW = 0xffffffffL;

    private Transpose() {
    }

    /**
     * target[column, row] = source[row, column].
     *
     * @param sourceStride numbers from one of the source's rows to the next
     * @param targetStride numbers from one of the target's rows to the next
     * @param rows of the source
     * @param columns of the source
     */
    static void run(long source, long sourceStride, long target, long targetStride, int rows, int columns) {
        int row = 0;
        for (; row < rows - 1; row += 2) {
            rows(source + 4 * row * sourceStride, 4 * sourceStride, target + 4L * row, 4 * targetStride, columns);
        }
        if (row < rows) {
            row(source + 4 * row * sourceStride, target + 4L * row, 4 * targetStride, columns);
        }
    }

    /** Two rows; the steps from row to row are in bytes. */
    private static void rows(long source, long sourceStep, long target, long targetStep, int columns) {
        int column = 0;
        for (; column < columns - 1; column += 2) {
            long first = Memory.ALL.get(PAIR, source + 4L * column);
            long second = Memory.ALL.get(PAIR, source + sourceStep + 4L * column);
            long to = target + column * targetStep;
            Memory.ALL.set(PAIR, to, first & LOW | second << Integer.SIZE);
            Memory.ALL.set(PAIR, to + targetStep, first >>> Integer.SIZE | second & ~LOW);
        }
        if (column < columns) {
            long to = target + column * targetStep;
            Memory.setInt(to, Memory.getInt(source + 4L * column));
            Memory.setInt(to + 4, Memory.getInt(source + sourceStep + 4L * column));
        }
    }

    /** One row. */
    private static void row(long source, long target, long targetStep, int columns) {
        for (int column = 0; column < columns; column++) {
            Memory.setInt(target + column * targetStep, Memory.getInt(source + 4L * column));
        }
    }
}
