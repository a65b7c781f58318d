package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * One product of {@link VectorGemm}, C = alpha A B + beta C, cut to fit the caches.
 *
 * <p>Of A, {@link MicroKernel} reads single values, of B whole vectors along its rows. B is therefore always packed
 * into panels; A only where its columns lie contiguous, otherwise it is read in place. A product with few rows and a long
 * B whose columns lie contiguous (a layer's weights, in generation) is computed as its transpose, since then the
 * large operand is the one that is read in place.
 *
 * <p>k is cut into slices, and runs of slices into chunks. Of each chunk, the operand with the shorter outer dimension
 * is packed whole ({@link #packShared}) and read by all; then the other one goes by blocks ({@link #multiplyBlock}): a
 * task packs its block, slice by slice, into scratch memory of its own that fits the second-level cache, and multiplies
 * it with the shared one tile by tile. Each element is thus packed at most once. Tasks of one kind are independent; the
 * two kinds and the chunks follow one another.
 */
final class PackedProduct {
    /** Most steps of k in a slice when alpha is not 1: then, and only then, do results depend on it. */
    private static final int SCALED_DEPTH = 512;
    /** Steps of k from which packing B costs more than storing C transposed. */
    private static final int LONG = 256;
    /** Most rows of A, or columns of B, in a block: a slice of it fits the second-level cache. */
    private static final int BLOCK = 256 / MicroKernel.WIDE * MicroKernel.WIDE;
    /** Rows or columns of the shared operand in one packing task. */
    private static final int PACKING = 64 / MicroKernel.WIDE * MicroKernel.WIDE;
    /** Floats of the shared operand in a chunk: some megabytes, a part of the third-level cache. */
    private static final int CHUNK = 1 << 21;

    private static final int SHARED = Scratch.newSlot();
    private static final int PRIVATE = Scratch.newSlot();
    private static final int ASIDE = Scratch.newSlot();

    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private final int k;
    private final float alpha;
    private final float beta;
    private final long c;
    private final long rowC;
    private final long columnC;

    private final Operand left;
    private final Operand right;
    private final Operand shared;
    private final Operand blocked;
    private final int block;
    private final int depth;
    private final int chunkDepth;
    private final long packedShared;

    /** Where the current chunk begins and ends in k. */
    private int from;
    private int to;

    /** The arguments of {@link Gemm#sgemm}, and how many threads are going to share the tasks. */
    PackedProduct(boolean transA, boolean transB, int m, int n, int k, float alpha, long a, int lda, long b, int ldb,
            float beta, long c, int ldc, int threads) {
        this.k = k;
        this.alpha = alpha;
        this.beta = beta;
        this.c = c;
        boolean transposed = transB && m < n && m <= MicroKernel.WIDE && k >= LONG;
        if (transposed) {
            left = new Operand(b, ldb, false, n, MicroKernel.ROWS, false);
            right = new Operand(a, lda, transA, m, tileColumns(m), true);
            rowC = Float.BYTES;
            columnC = (long) ldc * Float.BYTES;
        } else {
            left = new Operand(a, lda, transA, m, MicroKernel.ROWS, transA);
            right = new Operand(b, ldb, !transB, n, tileColumns(n), true);
            rowC = (long) ldc * Float.BYTES;
            columnC = Float.BYTES;
        }
        shared = right.width <= left.width ? right : left;
        blocked = shared == right ? left : right;
        int slices = Math.ceilDiv(k, alpha == 1 ? MicroKernel.DEPTH : SCALED_DEPTH);
        depth = Math.ceilDiv(k, slices);
        chunkDepth = Math.clamp(CHUNK / shared.paddedWidth() / depth, 1, slices) * depth;
        int fair = Math.ceilDiv(blocked.width, 4 * threads);
        block = Math.min(BLOCK, Math.ceilDiv(fair, MicroKernel.WIDE) * MicroKernel.WIDE);
        packedShared = shared.packs
                ? Scratch.get(SHARED, shared.packedBytes(shared.width, Math.min(k, chunkDepth)))
                : 0;
    }

    private static int tileColumns(int columns) {
        return columns <= MicroKernel.NARROW ? MicroKernel.NARROW : MicroKernel.WIDE;
    }

    /** Goes on to the first or next chunk; false when there is none. */
    boolean nextChunk() {
        from = to;
        to = Math.min(k, from + chunkDepth);
        return from < to;
    }

    /** How many tasks {@link #packShared} takes for this chunk. */
    int packingTasks() {
        return shared.packs ? Math.ceilDiv(shared.width, PACKING) * Math.ceilDiv(to - from, depth) : 0;
    }

    /** Packs some rows or columns of one slice of the shared operand. */
    void packShared(int task) {
        int slices = Math.ceilDiv(to - from, depth);
        int slice = from + task % slices * depth;
        int first = task / slices * PACKING;
        int steps = Math.min(depth, to - slice);
        shared.pack(first, Math.min(PACKING, shared.width - first), slice, steps,
                sharedSlice(slice) + shared.packedBytes(first, steps));
    }

    /** How many tasks {@link #multiplyBlock} takes. */
    int blocks() {
        return Math.ceilDiv(blocked.width, block);
    }

    /** Adds this chunk's part of one block of C. */
    void multiplyBlock(int task) {
        int first = task * block;
        int width = Math.min(block, blocked.width - first);
        long packed = blocked.packs ? Scratch.get(PRIVATE, blocked.packedBytes(width, depth)) : 0;
        for (int slice = from; slice < to; slice += depth) {
            int steps = Math.min(depth, to - slice);
            if (blocked.packs) {
                blocked.pack(first, width, slice, steps, packed);
            }
            if (shared == right) {
                tiles(width, right.width, slice, steps, left.packs ? packed : left.at(first, slice),
                        sharedSlice(slice), c + first * rowC);
            } else {
                tiles(left.width, width, slice, steps, left.packs ? sharedSlice(slice) : left.at(0, slice), packed,
                        c + first * columnC);
            }
        }
    }

    private long sharedSlice(int slice) {
        return packedShared + (long) (slice - from) * shared.paddedWidth() * Float.BYTES;
    }

    /** All tiles of rows x columns of C at {@code target}; a panel of B stays while the rows of A pass by. */
    private void tiles(int rows, int columns, int slice, int steps, long a, long b, long target) {
        long rowA = left.packs ? Float.BYTES : (long) left.stride * Float.BYTES;
        long stepA = left.packs ? MicroKernel.ROWS * Float.BYTES : Float.BYTES;
        long tileA = left.packs ? steps * stepA : MicroKernel.ROWS * rowA;
        float factor = slice == 0 ? beta : 1;
        boolean plain = alpha == 1 && (factor == 0 || factor == 1) && columnC == Float.BYTES;
        for (int j = 0; j < columns; j += right.panel) {
            int tileColumns = Math.min(right.panel, columns - j);
            for (int i = 0; i < rows; i += MicroKernel.ROWS) {
                int tileRows = Math.min(MicroKernel.ROWS, rows - i);
                long tileOfA = a + i / MicroKernel.ROWS * tileA;
                long tileOfC = target + i * rowC + j * columnC;
                if (plain && tileRows == MicroKernel.ROWS && tileColumns == right.panel) {
                    tile(steps, tileRows, tileOfA, rowA, stepA, b, factor != 0, tileOfC, rowC);
                } else {
                    tileAside(tileRows, tileColumns, steps, tileOfA, rowA, stepA, b, factor, tileOfC);
                }
            }
            b += (long) steps * right.panel * Float.BYTES;
        }
    }

    private void tile(int steps, int rows, long a, long rowA, long stepA, long b, boolean adds, long target,
            long rowTarget) {
        if (right.panel == MicroKernel.WIDE) {
            MicroKernel.wide(steps, rows, a, rowA, stepA, b, adds, target, rowTarget);
        } else {
            MicroKernel.narrow(steps, rows, a, rowA, stepA, b, adds, target, rowTarget);
        }
    }

    /** A tile that C holds in part, scaled or transposed: made aside, with the roundings of a whole plain one. */
    private void tileAside(int rows, int columns, int steps, long a, long rowA, long stepA, long b, float factor,
            long target) {
        long row = (long) MicroKernel.WIDE * Float.BYTES;
        long aside = Scratch.get(ASIDE, MicroKernel.ROWS * row);
        boolean adds = factor != 0 && alpha == 1;
        if (adds) {
            copyScaled(rows, columns, factor, target, rowC, columnC, 0, aside, row, Float.BYTES);
        }
        tile(steps, rows, a, rowA, stepA, b, adds, aside, row);
        copyScaled(rows, columns, alpha, aside, row, Float.BYTES, adds ? 0 : factor, target, rowC, columnC);
    }

    /** Y = x X + y Y with the given distances between rows and columns in bytes; Y is not read when y is 0. */
    private static void copyScaled(int rows, int columns, float x, long from, long fromRow, long fromColumn, float y,
            long to, long toRow, long toColumn) {
        if (fromColumn == Float.BYTES && toColumn == Float.BYTES) {
            for (int i = 0; i < rows; i++) {
                copyScaled(columns, x, from + i * fromRow, y, to + i * toRow);
            }
            return;
        }
        for (int j = 0; j < columns; j++) {
            for (int i = 0; i < rows; i++) {
                float value = x * Memory.getFloat(from + i * fromRow + j * fromColumn);
                long target = to + i * toRow + j * toColumn;
                Memory.setFloat(target, y == 0 ? value : Math.fma(Memory.getFloat(target), y, value));
            }
        }
    }

    /** The same for one contiguous row. */
    private static void copyScaled(int columns, float x, long from, float y, long to) {
        for (int j = 0; j < columns; j += Lanes.FLOATS) {
            VectorMask<Float> present = Lanes.F.indexInRange(j, columns);
            long offset = (long) j * Float.BYTES;
            FloatVector value = FloatVector.fromMemorySegment(Lanes.F, Memory.ALL, from + offset, ORDER, present)
                    .mul(x);
            if (y != 0) {
                value = FloatVector.fromMemorySegment(Lanes.F, Memory.ALL, to + offset, ORDER, present).fma(
                        FloatVector.broadcast(Lanes.F, y), value);
            }
            value.intoMemorySegment(Memory.ALL, to + offset, ORDER, present);
        }
    }

    /**
     * A or B: k steps deep, and {@code width} rows (of A) or columns (of B) wide.
     *
     * @param address its first element
     * @param stride distance between its contiguous lines in floats
     * @param alongWidth whether those lines run along the width, otherwise along k
     * @param panel rows of a tile (for A) or columns (for B)
     * @param packs whether it is packed, otherwise read in place
     */
    private record Operand(long address, int stride, boolean alongWidth, int width, int panel, boolean packs) {
        int paddedWidth() {
            return Math.ceilDiv(width, panel) * panel;
        }

        /** Bytes of the panels for the first {@code count} rows or columns. */
        long packedBytes(int count, int steps) {
            return (long) Math.ceilDiv(count, panel) * panel * steps * Float.BYTES;
        }

        /** Where row or column {@code first} begins at step {@code slice}. */
        long at(int first, int slice) {
            return address + (alongWidth ? (long) slice * stride + first : (long) first * stride + slice) * Float.BYTES;
        }

        void pack(int first, int count, int slice, int steps, long target) {
            Panels.pack(alongWidth, at(first, slice), stride, steps, count, panel, target);
        }
    }
}
