package io.mixt5.kernels.cpu;

import static io.mixt5.kernels.cpu.Lanes.ADDRESS;

import io.mixt5.engine.Memory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Packs a matrix into panels, the order in which {@link MicroKernel} reads it.
 *
 * <p>A matrix X of {@code depth} x {@code width} becomes ceil(width / w) panels, each {@code depth} rows of w floats
 * without gaps: panel q, row p, column j holds X[p, q w + j], or 0 beyond the width. For op(B) X is op(B) itself and w
 * is the tile's columns; for op(A) X is its transpose and w is the tile's rows. w is 3, or a multiple of 8.
 */
final class Panels {
    /** Columns that are moved together: eight floats. */
    private static final int GROUP = 8;
    /** Columns of a panel narrower than that. */
    private static final int FEW = 3;
    private static final VectorSpecies<Float> FOUR = FloatVector.SPECIES_128;
    private static final VectorSpecies<Float> EIGHT = FloatVector.SPECIES_256;
    private static final boolean HAS_EIGHT = Lanes.FLOATS >= GROUP;
    /** Lane numbers that interleave the lower, and the upper, halves of two vectors of eight. */
    private static final FloatVector LOWER = lanes(0, 8, 1, 9, 2, 10, 3, 11);
    private static final FloatVector UPPER = lanes(4, 12, 5, 13, 6, 14, 7, 15);

    private static final MemorySegment ALL = Memory.ALL;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    /** Strides are smaller, which the JIT is told like {@link Lanes#ADDRESS}. */
    private static final long STRIDE = (1L << 40) - 1;

    private Panels() {
    }

    /** Bytes that {@code width} columns take, packed. */
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
        long next = (long) panel * Float.BYTES;
        long alongRow = rowMajor ? Float.BYTES : step;
        long alongColumn = rowMajor ? step : Float.BYTES;
        int j = 0;
        while (rowMajor && panel == FEW && j + panel < width) {
            few(source + j * alongRow, step, depth, target + place(j, depth, panel));
            j += panel;
        }
        while (HAS_EIGHT && panel % GROUP == 0 && j + GROUP <= width) {
            long from = source + j * alongRow;
            long to = target + place(j, depth, panel);
            if (!rowMajor) {
                transpose(from, step, depth, to, next);
                j += GROUP;
            } else if (j + 2 * GROUP <= width) {
                copy(from, step, depth, to, target + place(j + GROUP, depth, panel), next);
                j += 2 * GROUP;
            } else {
                break;
            }
        }
        for (; j < width; j++) {
            single(source + j * alongRow, alongColumn, depth, target + place(j, depth, panel), next);
        }
        for (; j % panel != 0; j++) {
            zero(depth, target + place(j, depth, panel), next);
        }
    }

    /** Where column j begins in the packed form. */
    private static long place(int j, int depth, int panel) {
        return ((long) (j / panel) * depth * panel + j % panel) * Float.BYTES;
    }

    /** One column, element by element. */
    private static void single(long from, long alongColumn, int depth, long to, long next) {
        for (int p = 0; p < depth; p++) {
            Memory.setFloat(to + p * next, Memory.getFloat(from + p * alongColumn));
        }
    }

    private static void zero(int depth, long to, long next) {
        for (int p = 0; p < depth; p++) {
            Memory.setFloat(to + p * next, 0);
        }
    }

    /** A panel of three columns whose rows are contiguous: of the four that are copied, the next row covers the last. */
    private static void few(long source, long step, int depth, long target) {
        long from = source;
        long to = target;
        for (int p = 0; p < depth - 1; p++) {
            FloatVector.fromMemorySegment(FOUR, ALL, from & ADDRESS, ORDER).intoMemorySegment(ALL, to & ADDRESS, ORDER);
            from += step;
            to += FEW * Float.BYTES;
        }
        for (int j = 0; j < FEW; j++) {
            Memory.setFloat(to + (long) j * Float.BYTES, Memory.getFloat(from + (long) j * Float.BYTES));
        }
    }

    /** Two groups of columns whose rows are contiguous: a cache line a row. */
    private static void copy(long source, long step, int depth, long first, long second, long next) {
        long from = source & ADDRESS;
        long left = first & ADDRESS;
        long right = second & ADDRESS;
        for (int p = 0; p < depth; p++) {
            FloatVector.fromMemorySegment(EIGHT, ALL, from & ADDRESS, ORDER)
                    .intoMemorySegment(ALL, left & ADDRESS, ORDER);
            FloatVector.fromMemorySegment(EIGHT, ALL, (from & ADDRESS) + GROUP * Float.BYTES, ORDER)
                    .intoMemorySegment(ALL, right & ADDRESS, ORDER);
            from += step;
            left += next;
            right += next;
        }
    }

    /**
     * A group of contiguous columns, by squares of 8 x 8, and the last rows element by element. Interleaving vectors i
     * and i + 4 for every i turns the bits (row, column) of an element's place by one; three such rounds
     * exchange row and column.
     */
    private static void transpose(long source, long step, int depth, long target, long next) {
        long from = source & ADDRESS;
        long down = step & STRIDE;
        long right = next & STRIDE;
        int whole = depth & -GROUP;
        for (int p = 0; p < whole; p += GROUP) {
            long f = from + (long) p * Float.BYTES;
            FloatVector a0 = FloatVector.fromMemorySegment(EIGHT, ALL, f, ORDER);
            FloatVector a1 = FloatVector.fromMemorySegment(EIGHT, ALL, f + down, ORDER);
            FloatVector a2 = FloatVector.fromMemorySegment(EIGHT, ALL, f + 2 * down, ORDER);
            FloatVector a3 = FloatVector.fromMemorySegment(EIGHT, ALL, f + 3 * down, ORDER);
            FloatVector a4 = FloatVector.fromMemorySegment(EIGHT, ALL, f + 4 * down, ORDER);
            FloatVector a5 = FloatVector.fromMemorySegment(EIGHT, ALL, f + 5 * down, ORDER);
            FloatVector a6 = FloatVector.fromMemorySegment(EIGHT, ALL, f + 6 * down, ORDER);
            FloatVector a7 = FloatVector.fromMemorySegment(EIGHT, ALL, f + 7 * down, ORDER);
            FloatVector b0 = LOWER.selectFrom(a0, a4);
            FloatVector b1 = UPPER.selectFrom(a0, a4);
            FloatVector b2 = LOWER.selectFrom(a1, a5);
            FloatVector b3 = UPPER.selectFrom(a1, a5);
            FloatVector b4 = LOWER.selectFrom(a2, a6);
            FloatVector b5 = UPPER.selectFrom(a2, a6);
            FloatVector b6 = LOWER.selectFrom(a3, a7);
            FloatVector b7 = UPPER.selectFrom(a3, a7);
            a0 = LOWER.selectFrom(b0, b4);
            a1 = UPPER.selectFrom(b0, b4);
            a2 = LOWER.selectFrom(b1, b5);
            a3 = UPPER.selectFrom(b1, b5);
            a4 = LOWER.selectFrom(b2, b6);
            a5 = UPPER.selectFrom(b2, b6);
            a6 = LOWER.selectFrom(b3, b7);
            a7 = UPPER.selectFrom(b3, b7);
            b0 = LOWER.selectFrom(a0, a4);
            b1 = UPPER.selectFrom(a0, a4);
            b2 = LOWER.selectFrom(a1, a5);
            b3 = UPPER.selectFrom(a1, a5);
            b4 = LOWER.selectFrom(a2, a6);
            b5 = UPPER.selectFrom(a2, a6);
            b6 = LOWER.selectFrom(a3, a7);
            b7 = UPPER.selectFrom(a3, a7);
            long t = target + p * next & ADDRESS;
            b0.intoMemorySegment(ALL, t, ORDER);
            b1.intoMemorySegment(ALL, t + right, ORDER);
            b2.intoMemorySegment(ALL, t + 2 * right, ORDER);
            b3.intoMemorySegment(ALL, t + 3 * right, ORDER);
            b4.intoMemorySegment(ALL, t + 4 * right, ORDER);
            b5.intoMemorySegment(ALL, t + 5 * right, ORDER);
            b6.intoMemorySegment(ALL, t + 6 * right, ORDER);
            b7.intoMemorySegment(ALL, t + 7 * right, ORDER);
        }
        for (int j = 0; whole < depth && j < GROUP; j++) {
            single(source + j * step + (long) whole * Float.BYTES, Float.BYTES, depth - whole,
                    target + whole * next + (long) j * Float.BYTES, next);
        }
    }

    private static FloatVector lanes(float... numbers) {
        return FloatVector.fromArray(EIGHT, numbers, 0);
    }
}
