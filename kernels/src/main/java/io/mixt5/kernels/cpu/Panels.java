package io.mixt5.kernels.cpu;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.mixt5.engine.Memory;

/**
 * Packs a matrix into panels, the order in which {@link MicroKernel} reads it.
 *
 * <p>A matrix X of {@code depth} x {@code width} becomes ceil(width / w) panels, each {@code depth} rows of w floats
 * without gaps: panel q, row p, column j holds X[p, q w + j], or 0 beyond the width. For op(B) X is op(B) itself and w
 * is the tile's columns; for op(A) X is its transpose and w is the tile's rows. w is a multiple of 8.
 */
final class Panels {
    private static final int GROUP = 8;
    private static final long LOW = 0xFFFF_FFFFL;

    private Panels() {
    }

    /** The bytes that {@code width} columns take, packed. */
    static long bytes(int depth, int width, int panel) {
        return (long) Math.ceilDiv(width, panel) * panel * depth * Float.BYTES;
    }

    /**
     * Packs X.
     *
     * @param rowMajor whether X's rows lie contiguous, {@code stride} floats apart; otherwise its columns do
     * @param source address of X[0, 0]
     * @param panel the panels' width w
     * @param target address of {@link #bytes} bytes
     */
    static void pack(boolean rowMajor, long source, int stride, int depth, int width, int panel, long target) {
        long step = (long) stride * Float.BYTES;
        for (int column = 0; column < width; column += panel) {
            int columns = Math.min(panel, width - column);
            int whole = columns / GROUP * GROUP;
            for (int j = 0; j < whole; j += GROUP) {
                long to = target + (long) j * Float.BYTES;
                if (rowMajor) {
                    copy(source + (long) (column + j) * Float.BYTES, step, depth, to, panel * Float.BYTES);
                } else {
                    transpose(source + (column + j) * step, step, depth, to, panel * Float.BYTES);
                }
            }
            for (int j = whole; j < panel; j++) {
                long from = source + (rowMajor ? (long) (column + j) * Float.BYTES : (column + j) * step);
                single(j < columns, from, rowMajor ? step : Float.BYTES, depth, target + (long) j * Float.BYTES,
                        panel * Float.BYTES);
            }
            target += (long) depth * panel * Float.BYTES;
        }
    }

    /** One column of a panel, element by element: the source's, or zeros. */
    private static void single(boolean present, long from, long step, int depth, long to, long next) {
        for (int p = 0; p < depth; p++) {
            Memory.setFloat(to + p * next, present ? Memory.getFloat(from + p * step) : 0);
        }
    }

    /** {@code depth} rows of eight floats, {@code step} bytes apart, to rows {@code next} bytes apart. */
    private static void copy(long from, long step, int depth, long to, long next) {
        for (int p = 0; p < depth; p++) {
            setLong(to, getLong(from));
            setLong(to + 8, getLong(from + 8));
            setLong(to + 16, getLong(from + 16));
            setLong(to + 24, getLong(from + 24));
            from += step;
            to += next;
        }
    }

    /**
     * Eight columns of {@code depth} floats, {@code step} bytes apart, to rows {@code next} bytes apart. Goes by
     * squares of two by two, two floats in a long: half the loads and stores of single floats.
     */
    private static void transpose(long from, long step, int depth, long to, long next) {
        int even = depth & ~1;
        for (int p = 0; p < even; p += 2) {
            long column = from + (long) p * Float.BYTES;
            long row = to + p * next;
            square(column, step, row, next);
            square(column + 2 * step, step, row + 8, next);
            square(column + 4 * step, step, row + 16, next);
            square(column + 6 * step, step, row + 24, next);
        }
        if (even < depth) {
            for (int j = 0; j < GROUP; j++) {
                float value = Memory.getFloat(from + j * step + (long) even * Float.BYTES);
                Memory.setFloat(to + even * next + (long) j * Float.BYTES, value);
            }
        }
    }

    private static void square(long column, long step, long row, long next) {
        long first = getLong(column);
        long second = getLong(column + step);
        setLong(row, first & LOW | second << 32);
        setLong(row + next, first >>> 32 | second & ~LOW);
    }

    private static long getLong(long address) {
        return Memory.ALL.get(JAVA_LONG_UNALIGNED, address);
    }

    private static void setLong(long address, long value) {
        Memory.ALL.set(JAVA_LONG_UNALIGNED, address, value);
    }
}
