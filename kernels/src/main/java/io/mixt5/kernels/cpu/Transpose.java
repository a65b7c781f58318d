package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Transposes small matrices of 32-bit numbers, on the calling thread: in tiles of eight by eight, a vector a row, where
 * vectors are that long; and else two by two, a pair of neighbours moving as one number of 64 bits.
 */
final class Transpose {
    private static final VectorSpecies<Float> ROW = FloatVector.SPECIES_256;
    private static final int TILE = ROW.length();
    private static final VectorShuffle<Float> SWAP_4 = swap(4);
    private static final VectorShuffle<Float> SWAP_2 = swap(2);
    private static final VectorShuffle<Float> SWAP_1 = swap(1);
    private static final VectorMask<Float> UPPER_4 = VectorMask.fromLong(ROW, 0b11110000);
    private static final VectorMask<Float> UPPER_2 = VectorMask.fromLong(ROW, 0b11001100);
    private static final VectorMask<Float> UPPER_1 = VectorMask.fromLong(ROW, 0b10101010);

    /** The first of two neighbours is the lower half. */
    private static final ValueLayout.OfLong PAIR = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long LOW = 0xffffffffL;

    private Transpose() {
    }

    /** Exchanges neighbouring groups of {@code distance} lanes. */
    private static VectorShuffle<Float> swap(int distance) {
        return VectorShuffle.fromOp(ROW, lane -> lane ^ distance);
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
        long sourceStep = Float.BYTES * sourceStride;
        long targetStep = Float.BYTES * targetStride;
        int tiledRows = Lanes.FLOATS < TILE ? 0 : rows - rows % TILE;
        int tiledColumns = tiledRows == 0 ? 0 : columns - columns % TILE;
        for (int row = 0; row < tiledRows; row += TILE) {
            for (int column = 0; column < tiledColumns; column += TILE) {
                tile(source + row * sourceStep + 4L * column, sourceStep, target + column * targetStep + 4L * row,
                        targetStep);
            }
        }
        for (int row = 0; row < rows; row += 2) {
            int column = row < tiledRows ? tiledColumns : 0;
            long from = source + row * sourceStep + 4L * column;
            long to = target + column * targetStep + 4L * row;
            if (row < rows - 1) {
                pair(from, sourceStep, to, targetStep, columns - column);
            } else {
                single(from, to, targetStep, columns - column);
            }
        }
    }

    /** Eight by eight: exchanges halves of rows four apart, then quarters of rows two apart, then neighbours. */
    private static void tile(long source, long sourceStep, long target, long targetStep) {
        FloatVector a0 = load(source);
        FloatVector a1 = load(source + sourceStep);
        FloatVector a2 = load(source + 2 * sourceStep);
        FloatVector a3 = load(source + 3 * sourceStep);
        FloatVector a4 = load(source + 4 * sourceStep);
        FloatVector a5 = load(source + 5 * sourceStep);
        FloatVector a6 = load(source + 6 * sourceStep);
        FloatVector a7 = load(source + 7 * sourceStep);
        FloatVector b0 = a0.blend(a4.rearrange(SWAP_4), UPPER_4);
        FloatVector b1 = a1.blend(a5.rearrange(SWAP_4), UPPER_4);
        FloatVector b2 = a2.blend(a6.rearrange(SWAP_4), UPPER_4);
        FloatVector b3 = a3.blend(a7.rearrange(SWAP_4), UPPER_4);
        FloatVector b4 = a0.rearrange(SWAP_4).blend(a4, UPPER_4);
        FloatVector b5 = a1.rearrange(SWAP_4).blend(a5, UPPER_4);
        FloatVector b6 = a2.rearrange(SWAP_4).blend(a6, UPPER_4);
        FloatVector b7 = a3.rearrange(SWAP_4).blend(a7, UPPER_4);
        FloatVector c0 = b0.blend(b2.rearrange(SWAP_2), UPPER_2);
        FloatVector c1 = b1.blend(b3.rearrange(SWAP_2), UPPER_2);
        FloatVector c2 = b0.rearrange(SWAP_2).blend(b2, UPPER_2);
        FloatVector c3 = b1.rearrange(SWAP_2).blend(b3, UPPER_2);
        FloatVector c4 = b4.blend(b6.rearrange(SWAP_2), UPPER_2);
        FloatVector c5 = b5.blend(b7.rearrange(SWAP_2), UPPER_2);
        FloatVector c6 = b4.rearrange(SWAP_2).blend(b6, UPPER_2);
        FloatVector c7 = b5.rearrange(SWAP_2).blend(b7, UPPER_2);
        store(target, c0.blend(c1.rearrange(SWAP_1), UPPER_1));
        store(target + targetStep, c0.rearrange(SWAP_1).blend(c1, UPPER_1));
        store(target + 2 * targetStep, c2.blend(c3.rearrange(SWAP_1), UPPER_1));
        store(target + 3 * targetStep, c2.rearrange(SWAP_1).blend(c3, UPPER_1));
        store(target + 4 * targetStep, c4.blend(c5.rearrange(SWAP_1), UPPER_1));
        store(target + 5 * targetStep, c4.rearrange(SWAP_1).blend(c5, UPPER_1));
        store(target + 6 * targetStep, c6.blend(c7.rearrange(SWAP_1), UPPER_1));
        store(target + 7 * targetStep, c6.rearrange(SWAP_1).blend(c7, UPPER_1));
    }

    private static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(ROW, Memory.ALL, address, ByteOrder.nativeOrder());
    }

    private static void store(long address, FloatVector value) {
        value.intoMemorySegment(Memory.ALL, address, ByteOrder.nativeOrder());
    }

    /** Two rows; the steps from row to row are in bytes. */
    private static void pair(long source, long sourceStep, long target, long targetStep, int columns) {
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
    private static void single(long source, long target, long targetStep, int columns) {
        for (int column = 0; column < columns; column++) {
            Memory.setInt(target + column * targetStep, Memory.getInt(source + 4L * column));
        }
    }
}
