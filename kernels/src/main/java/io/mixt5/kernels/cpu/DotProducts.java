package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The product of a few rows with a transposed matrix, C = alpha A B^T + beta C, as generation needs it: each weight is
 * used so few times that reading B from memory is the work.
 *
 * <p>An element is the dot product of two contiguous rows. A row of B meets all rows of A at once, one accumulator each,
 * so that B streams by in the order in which it lies. The fewer operations that takes, the further the processor looks
 * ahead: hence a loop for each number of rows. The accumulators of several columns are then added up together. The bits
 * of an element depend on k alone, not on m or n.
 *
 * <p>The loops are kept from being unrolled by a step that is no constant: C2 would move the loads of all copies to the
 * front and, with 16 registers, put the accumulators on the stack (1.7 times as slow). They are written out for the
 * reason that {@link MicroKernel} gives.
 */
final class DotProducts {
    /** Most rows of A for which this beats tiles. */
    private static final int MOST_ROWS = 8;
    /** Accumulators that are added up together: as many as a vector has lanes. */
    private static final int GROUP = 8;
    /** Most floats of B in a task. */
    private static final int GRAIN = 1 << 16;

    private static final int SUMS = Scratch.newSlot();

    /** Wider vectors would not read any faster; narrower ones, where there are no others, leave this to the tiles. */
    private static final VectorSpecies<Float> F = FloatVector.SPECIES_256;
    private static final boolean HAS_EIGHT = FloatVector.SPECIES_PREFERRED.length() >= GROUP;
    private static final VectorShuffle<Float> SWAP_1 = VectorShuffle.fromOp(F, lane -> lane ^ 1);
    private static final VectorShuffle<Float> SWAP_2 = VectorShuffle.fromOp(F, lane -> lane ^ 2);
    private static final VectorShuffle<Float> SWAP_4 = VectorShuffle.fromOp(F, lane -> lane ^ 4);
    private static final VectorMask<Float> ODD_1 = VectorMask.fromLong(F, 0xAA);
    private static final VectorMask<Float> ODD_2 = VectorMask.fromLong(F, 0xCC);
    private static final VectorMask<Float> ODD_4 = VectorMask.fromLong(F, 0xF0);

    private static final MemorySegment ALL = Memory.ALL;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    /** Bytes of a vector. */
    private static final long V = 8L * Float.BYTES;
    /** Elements go through vectors in multiples of so many floats; the rest follows one by one. */
    private static final int WHOLE = 32;
    /** Addresses in user space are smaller; the JIT, told so, drops the bounds checks. */
    private static final long ADDRESS = (1L << 48) - 1;
    /** {@link #V}, but no constant to the JIT. */
    private static long step = V;

    private DotProducts() {
    }

    /** Whether a product of {@link Gemm} is of this kind. */
    static boolean suits(boolean transA, boolean transB, int m, int n) {
        return HAS_EIGHT && transB && !transA && m <= MOST_ROWS && m <= n;
    }

    /** As {@link Gemm#sgemm} for a product that {@link #suits}. */
    static void sgemm(int m, int n, int k, float alpha, long a, int lda, long b, int ldb, float beta, long c, int ldc) {
        columns(0, n, m, k, alpha, a, lda, b, ldb, beta, c, ldc);
    }

    /** As {@link Gemm#multiply} for a product that {@link #suits}. */
    static void multiply(int m, int n, int k, float alpha, long a, int lda, long b, int ldb, float beta, long c,
            int ldc) {
        // All threads get equally many tasks, since most products are so small that each gets but one or two.
        int threads = WorkerPool.size();
        long tasks = ((long) n * k + (long) GRAIN * threads - 1) / ((long) GRAIN * threads) * threads;
        long grain = Math.max(GROUP, Math.ceilDiv(n, Math.max(1, tasks)));
        WorkerPool.forRange(n, grain, (from, to, worker) -> columns((int) from, (int) to, m, k, alpha, a, lda, b, ldb,
                beta, c, ldc));
    }

    /** Columns {@code from} up to but without {@code to} of C. */
    private static void columns(int from, int to, int m, int k, float alpha, long a, int lda, long b, int ldb,
            float beta, long c, int ldc) {
        long rowA = (long) lda * Float.BYTES;
        long rowB = (long) ldb * Float.BYTES;
        int whole = k / WHOLE * WHOLE;
        long bytes = (long) whole * Float.BYTES;
        int rows = m == 1 ? 1 : Math.max(2, Integer.highestOneBit(2 * m - 1));
        int columns = GROUP / rows;
        long sums = Scratch.get(SUMS, GROUP * V);
        for (int first = from; first < to; first += columns) {
            int count = Math.min(columns, to - first);
            for (int j = 0; j < count; j++) {
                long line = b + (first + j) * rowB;
                long target = sums + j * rows * V;
                switch (rows) {
                    case 1 -> one(bytes, a, line, target);
                    case 2 -> two(bytes, a, rowA, line, target);
                    case 4 -> four(bytes, a, m, rowA, line, target);
                    default -> eight(bytes, a, m, rowA, line, target);
                }
            }
            addUp(sums);
            for (int j = 0; j < count; j++) {
                for (int i = 0; i < m; i++) {
                    float sum = rest(Memory.getFloat(sums + (long) Float.BYTES * (j * rows + i)), whole, k,
                            a + i * rowA, b + (first + j) * rowB);
                    long element = c + ((long) i * ldc + first + j) * Float.BYTES;
                    Memory.setFloat(element,
                            beta == 0 ? alpha * sum : Math.fma(beta, Memory.getFloat(element), alpha * sum));
                }
            }
        }
    }

    /** Continues a sum with what is less than a multiple of {@link #WHOLE}. */
    private static float rest(float sum, int whole, int k, long a, long b) {
        float result = sum;
        for (int p = whole; p < k; p++) {
            long offset = (long) p * Float.BYTES;
            result = Math.fma(Memory.getFloat(a + offset), Memory.getFloat(b + offset), result);
        }
        return result;
    }

    /** One row of A by one of B: an accumulator of eight sums to {@code sums}. */
    private static void one(long bytes, long a, long b, long sums) {
        long a0 = a & ADDRESS;
        long b0 = b & ADDRESS;
        FloatVector s0 = FloatVector.zero(F);
        long stride = 4 * step;
        for (long p = 0; p < bytes; p += stride) {
            long at = p & ADDRESS;
            s0 = FloatVector.fromMemorySegment(F, ALL, a0 + at, ORDER).fma(
                    FloatVector.fromMemorySegment(F, ALL, b0 + at, ORDER), s0);
            s0 = FloatVector.fromMemorySegment(F, ALL, a0 + at + V, ORDER).fma(
                    FloatVector.fromMemorySegment(F, ALL, b0 + at + V, ORDER), s0);
            s0 = FloatVector.fromMemorySegment(F, ALL, a0 + at + 2 * V, ORDER).fma(
                    FloatVector.fromMemorySegment(F, ALL, b0 + at + 2 * V, ORDER), s0);
            s0 = FloatVector.fromMemorySegment(F, ALL, a0 + at + 3 * V, ORDER).fma(
                    FloatVector.fromMemorySegment(F, ALL, b0 + at + 3 * V, ORDER), s0);
        }
        long target = sums & ADDRESS;
        s0.intoMemorySegment(ALL, target, ORDER);
    }

    /** Two rows of A by one of B. */
    private static void two(long bytes, long a, long rowA, long b, long sums) {
        long a0 = a & ADDRESS;
        long a1 = a + rowA & ADDRESS;
        long b0 = b & ADDRESS;
        FloatVector s0 = FloatVector.zero(F);
        FloatVector s1 = FloatVector.zero(F);
        long stride = 4 * step;
        for (long p = 0; p < bytes; p += stride) {
            long at = p & ADDRESS;
            FloatVector x = FloatVector.fromMemorySegment(F, ALL, b0 + at, ORDER);
            s0 = FloatVector.fromMemorySegment(F, ALL, a0 + at, ORDER).fma(x, s0);
            s1 = FloatVector.fromMemorySegment(F, ALL, a1 + at, ORDER).fma(x, s1);
            FloatVector y = FloatVector.fromMemorySegment(F, ALL, b0 + at + V, ORDER);
            s0 = FloatVector.fromMemorySegment(F, ALL, a0 + at + V, ORDER).fma(y, s0);
            s1 = FloatVector.fromMemorySegment(F, ALL, a1 + at + V, ORDER).fma(y, s1);
            FloatVector z = FloatVector.fromMemorySegment(F, ALL, b0 + at + 2 * V, ORDER);
            s0 = FloatVector.fromMemorySegment(F, ALL, a0 + at + 2 * V, ORDER).fma(z, s0);
            s1 = FloatVector.fromMemorySegment(F, ALL, a1 + at + 2 * V, ORDER).fma(z, s1);
            FloatVector w = FloatVector.fromMemorySegment(F, ALL, b0 + at + 3 * V, ORDER);
            s0 = FloatVector.fromMemorySegment(F, ALL, a0 + at + 3 * V, ORDER).fma(w, s0);
            s1 = FloatVector.fromMemorySegment(F, ALL, a1 + at + 3 * V, ORDER).fma(w, s1);
        }
        long target = sums & ADDRESS;
        s0.intoMemorySegment(ALL, target, ORDER);
        s1.intoMemorySegment(ALL, target + V, ORDER);
    }

    /** Up to four rows of A by one of B; the last one stands in for those that are missing. */
    private static void four(long bytes, long a, int rows, long rowA, long b, long sums) {
        long a0 = a & ADDRESS;
        long a1 = a + Math.min(1, rows - 1) * rowA & ADDRESS;
        long a2 = a + Math.min(2, rows - 1) * rowA & ADDRESS;
        long a3 = a + Math.min(3, rows - 1) * rowA & ADDRESS;
        long b0 = b & ADDRESS;
        FloatVector s0 = FloatVector.zero(F);
        FloatVector s1 = FloatVector.zero(F);
        FloatVector s2 = FloatVector.zero(F);
        FloatVector s3 = FloatVector.zero(F);
        long stride = 2 * step;
        for (long p = 0; p < bytes; p += stride) {
            long at = p & ADDRESS;
            FloatVector x = FloatVector.fromMemorySegment(F, ALL, b0 + at, ORDER);
            s0 = FloatVector.fromMemorySegment(F, ALL, a0 + at, ORDER).fma(x, s0);
            s1 = FloatVector.fromMemorySegment(F, ALL, a1 + at, ORDER).fma(x, s1);
            s2 = FloatVector.fromMemorySegment(F, ALL, a2 + at, ORDER).fma(x, s2);
            s3 = FloatVector.fromMemorySegment(F, ALL, a3 + at, ORDER).fma(x, s3);
            FloatVector y = FloatVector.fromMemorySegment(F, ALL, b0 + at + V, ORDER);
            s0 = FloatVector.fromMemorySegment(F, ALL, a0 + at + V, ORDER).fma(y, s0);
            s1 = FloatVector.fromMemorySegment(F, ALL, a1 + at + V, ORDER).fma(y, s1);
            s2 = FloatVector.fromMemorySegment(F, ALL, a2 + at + V, ORDER).fma(y, s2);
            s3 = FloatVector.fromMemorySegment(F, ALL, a3 + at + V, ORDER).fma(y, s3);
        }
        long target = sums & ADDRESS;
        s0.intoMemorySegment(ALL, target, ORDER);
        s1.intoMemorySegment(ALL, target + V, ORDER);
        s2.intoMemorySegment(ALL, target + 2 * V, ORDER);
        s3.intoMemorySegment(ALL, target + 3 * V, ORDER);
    }

    /** Up to eight rows of A by one of B. */
    private static void eight(long bytes, long a, int rows, long rowA, long b, long sums) {
        long a0 = a & ADDRESS;
        long a1 = a + Math.min(1, rows - 1) * rowA & ADDRESS;
        long a2 = a + Math.min(2, rows - 1) * rowA & ADDRESS;
        long a3 = a + Math.min(3, rows - 1) * rowA & ADDRESS;
        long a4 = a + Math.min(4, rows - 1) * rowA & ADDRESS;
        long a5 = a + Math.min(5, rows - 1) * rowA & ADDRESS;
        long a6 = a + Math.min(6, rows - 1) * rowA & ADDRESS;
        long a7 = a + Math.min(7, rows - 1) * rowA & ADDRESS;
        long b0 = b & ADDRESS;
        FloatVector s0 = FloatVector.zero(F);
        FloatVector s1 = FloatVector.zero(F);
        FloatVector s2 = FloatVector.zero(F);
        FloatVector s3 = FloatVector.zero(F);
        FloatVector s4 = FloatVector.zero(F);
        FloatVector s5 = FloatVector.zero(F);
        FloatVector s6 = FloatVector.zero(F);
        FloatVector s7 = FloatVector.zero(F);
        long stride = step;
        for (long p = 0; p < bytes; p += stride) {
            long at = p & ADDRESS;
            FloatVector x = FloatVector.fromMemorySegment(F, ALL, b0 + at, ORDER);
            s0 = FloatVector.fromMemorySegment(F, ALL, a0 + at, ORDER).fma(x, s0);
            s1 = FloatVector.fromMemorySegment(F, ALL, a1 + at, ORDER).fma(x, s1);
            s2 = FloatVector.fromMemorySegment(F, ALL, a2 + at, ORDER).fma(x, s2);
            s3 = FloatVector.fromMemorySegment(F, ALL, a3 + at, ORDER).fma(x, s3);
            s4 = FloatVector.fromMemorySegment(F, ALL, a4 + at, ORDER).fma(x, s4);
            s5 = FloatVector.fromMemorySegment(F, ALL, a5 + at, ORDER).fma(x, s5);
            s6 = FloatVector.fromMemorySegment(F, ALL, a6 + at, ORDER).fma(x, s6);
            s7 = FloatVector.fromMemorySegment(F, ALL, a7 + at, ORDER).fma(x, s7);
        }
        long target = sums & ADDRESS;
        s0.intoMemorySegment(ALL, target, ORDER);
        s1.intoMemorySegment(ALL, target + V, ORDER);
        s2.intoMemorySegment(ALL, target + 2 * V, ORDER);
        s3.intoMemorySegment(ALL, target + 3 * V, ORDER);
        s4.intoMemorySegment(ALL, target + 4 * V, ORDER);
        s5.intoMemorySegment(ALL, target + 5 * V, ORDER);
        s6.intoMemorySegment(ALL, target + 6 * V, ORDER);
        s7.intoMemorySegment(ALL, target + 7 * V, ORDER);
    }

    /**
     * Adds up each of {@link #GROUP} vectors; the sums take the place of the first one. Half of the lanes go at a time: of
     * two vectors the even lanes' neighbours are added, and interleaved; then of two such the pairs; then the halves.
     */
    private static void addUp(long vectors) {
        long from = vectors & ADDRESS;
        FloatVector v0 = FloatVector.fromMemorySegment(F, ALL, from, ORDER);
        FloatVector v1 = FloatVector.fromMemorySegment(F, ALL, from + V, ORDER);
        FloatVector v2 = FloatVector.fromMemorySegment(F, ALL, from + 2 * V, ORDER);
        FloatVector v3 = FloatVector.fromMemorySegment(F, ALL, from + 3 * V, ORDER);
        FloatVector v4 = FloatVector.fromMemorySegment(F, ALL, from + 4 * V, ORDER);
        FloatVector v5 = FloatVector.fromMemorySegment(F, ALL, from + 5 * V, ORDER);
        FloatVector v6 = FloatVector.fromMemorySegment(F, ALL, from + 6 * V, ORDER);
        FloatVector v7 = FloatVector.fromMemorySegment(F, ALL, from + 7 * V, ORDER);
        FloatVector v01 = v0.blend(v1.rearrange(SWAP_1), ODD_1).add(v0.rearrange(SWAP_1).blend(v1, ODD_1));
        FloatVector v23 = v2.blend(v3.rearrange(SWAP_1), ODD_1).add(v2.rearrange(SWAP_1).blend(v3, ODD_1));
        FloatVector v45 = v4.blend(v5.rearrange(SWAP_1), ODD_1).add(v4.rearrange(SWAP_1).blend(v5, ODD_1));
        FloatVector v67 = v6.blend(v7.rearrange(SWAP_1), ODD_1).add(v6.rearrange(SWAP_1).blend(v7, ODD_1));
        FloatVector v03 = v01.blend(v23.rearrange(SWAP_2), ODD_2).add(v01.rearrange(SWAP_2).blend(v23, ODD_2));
        FloatVector v47 = v45.blend(v67.rearrange(SWAP_2), ODD_2).add(v45.rearrange(SWAP_2).blend(v67, ODD_2));
        v03.blend(v47.rearrange(SWAP_4), ODD_4).add(v03.rearrange(SWAP_4).blend(v47, ODD_4))
                .intoMemorySegment(ALL, from, ORDER);
    }
}
