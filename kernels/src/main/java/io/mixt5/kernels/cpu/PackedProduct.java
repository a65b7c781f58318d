package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;

/**
 * One product of {@link VectorGemm}, cut to fit the caches.
 *
 * <p>k is cut into slices, and runs of slices into chunks. Of each chunk, the operand with the shorter outer dimension
 * is packed whole ({@link #packShared}) and read by all; then the other operand goes by blocks
 * ({@link #multiplyBlock}): a task packs its block, slice by slice, into scratch memory of its own that fits the
 * second-level cache, and multiplies it with the shared one tile by tile. Each element is thus packed once. Tasks of
 * one kind are independent; the two kinds and the chunks follow one another.
 */
final class PackedProduct {
    /** Most steps of k in a slice: the panels of a tile of this depth stay in the first-level cache. */
    private static final int DEPTH = 384;
    /** Most rows of A, or columns of B, in a block. */
    private static final int BLOCK = 128;
    /** Rows or columns of the shared operand in one packing task. */
    private static final int PACKING = 64;
    /** Most floats of a packed chunk: some megabytes, a part of the third-level cache. */
    private static final int CHUNK = 1 << 21;

    private static final int SHARED = Scratch.newSlot();
    private static final int PRIVATE = Scratch.newSlot();
    private static final int EDGE = Scratch.newSlot();

    private final int m;
    private final int n;
    private final int k;
    private final float alpha;
    private final float beta;
    private final long c;
    private final int ldc;

    private final boolean sharesB;
    private final Operand shared;
    private final Operand blocked;
    private final int block;
    private final int depth;
    private final int chunkDepth;
    private final long sharedPacked;

    /** Where the current chunk begins and ends in k. */
    private int from;
    private int to;

    PackedProduct(boolean transA, boolean transB, int m, int n, int k, float alpha, long a, int lda, long b, int ldb,
            float beta, long c, int ldc, int threads) {
        this.m = m;
        this.n = n;
        this.k = k;
        this.alpha = alpha;
        this.beta = beta;
        this.c = c;
        this.ldc = ldc;
        Operand left = new Operand(a, lda, transA, m, MicroKernel.ROWS);
        Operand right = new Operand(b, ldb, !transB, n, MicroKernel.COLUMNS);
        sharesB = n <= m;
        shared = sharesB ? right : left;
        blocked = sharesB ? left : right;
        // The sizes of slices enter the results, those of blocks and chunks do not.
        int slices = Math.ceilDiv(k, DEPTH);
        depth = Math.ceilDiv(k, slices);
        chunkDepth = Math.clamp(CHUNK / shared.paddedWidth() / depth, 1, slices) * depth;
        int fair = Math.ceilDiv(blocked.width, 4 * threads);
        block = Math.min(BLOCK, Math.ceilDiv(fair, MicroKernel.COLUMNS) * MicroKernel.COLUMNS);
        sharedPacked = Scratch.get(SHARED, shared.packedBytes(shared.width, Math.min(k, chunkDepth)));
    }

    /** Goes on to the first or next chunk; false when there is none. */
    boolean nextChunk() {
        from = to;
        to = Math.min(k, from + chunkDepth);
        return from < to;
    }

    /** How many tasks {@link #packShared} takes for this chunk. */
    int packingTasks() {
        return Math.ceilDiv(shared.width, PACKING) * Math.ceilDiv(to - from, depth);
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
        long packed = Scratch.get(PRIVATE, blocked.packedBytes(width, depth));
        for (int slice = from; slice < to; slice += depth) {
            int steps = Math.min(depth, to - slice);
            blocked.pack(first, width, slice, steps, packed);
            float factor = slice == 0 ? beta : 1;
            if (sharesB) {
                tiles(width, n, steps, packed, sharedSlice(slice), factor, c + (long) first * ldc * Float.BYTES);
            } else {
                tiles(m, width, steps, sharedSlice(slice), packed, factor, c + (long) first * Float.BYTES);
            }
        }
    }

    private long sharedSlice(int slice) {
        return sharedPacked + (long) (slice - from) * shared.paddedWidth() * Float.BYTES;
    }

    /** All tiles of rows x columns of C at {@code target}; a panel of B stays while those of A pass by. */
    private void tiles(int rows, int columns, int steps, long a, long b, float factor, long target) {
        long panelA = (long) steps * MicroKernel.ROWS * Float.BYTES;
        long panelB = (long) steps * MicroKernel.COLUMNS * Float.BYTES;
        for (int j = 0; j < columns; j += MicroKernel.COLUMNS) {
            long left = a;
            for (int i = 0; i < rows; i += MicroKernel.ROWS) {
                long tile = target + ((long) i * ldc + j) * Float.BYTES;
                if (i + MicroKernel.ROWS <= rows && j + MicroKernel.COLUMNS <= columns) {
                    MicroKernel.tile(steps, left, b, alpha, factor, tile, ldc);
                } else {
                    edge(Math.min(MicroKernel.ROWS, rows - i), Math.min(MicroKernel.COLUMNS, columns - j), steps, left,
                            b, factor, tile);
                }
                left += panelA;
            }
            b += panelB;
        }
    }

    /** A tile that C holds only in part: made aside, then merged with the same roundings as a whole one. */
    private void edge(int rows, int columns, int steps, long a, long b, float factor, long target) {
        long aside = Scratch.get(EDGE, (long) MicroKernel.ROWS * MicroKernel.COLUMNS * Float.BYTES);
        MicroKernel.tile(steps, a, b, alpha, 0, aside, MicroKernel.COLUMNS);
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                float value = Memory.getFloat(aside + ((long) i * MicroKernel.COLUMNS + j) * Float.BYTES);
                long element = target + ((long) i * ldc + j) * Float.BYTES;
                Memory.setFloat(element, factor == 0 ? value : Math.fma(Memory.getFloat(element), factor, value));
            }
        }
    }

    /**
     * A or B as packing sees it: k steps deep, and {@code width} rows (of op(A)) or columns (of op(B)) wide.
     *
     * @param address its first element
     * @param stride distance between its contiguous lines in floats
     * @param alongWidth whether those lines run along the width, otherwise along k
     * @param panel width of its panels
     */
    private record Operand(long address, int stride, boolean alongWidth, int width, int panel) {
        int paddedWidth() {
            return Math.ceilDiv(width, panel) * panel;
        }

        /** Bytes of the panels for the first {@code count} rows or columns. */
        long packedBytes(int count, int steps) {
            return (long) Math.ceilDiv(count, panel) * panel * steps * Float.BYTES;
        }

        void pack(int first, int count, int slice, int steps, long target) {
            long offset = alongWidth ? (long) slice * stride + first : (long) first * stride + slice;
            Panels.pack(alongWidth, address + offset * Float.BYTES, stride, steps, count, panel, target);
        }
    }
}
