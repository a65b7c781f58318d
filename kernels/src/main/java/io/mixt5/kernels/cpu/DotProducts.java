package io.mixt5.kernels.cpu;

import static io.mixt5.kernels.cpu.Lanes.ADDRESS;

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
 * <p>An element is the dot product of two contiguous rows. A row of B meets up to eight rows of A at once, one accumulator
 * each, and the other ones when it is in the cache, so that B streams by in the order in which it lies. The fewer
 * operations that takes, the further the processor looks ahead: hence a loop for each number of rows, and A's rows
 * interleaved, so that one address serves them all. The accumulators of several columns are then added up together. The
 * bits of an element depend on k alone, not on m or n.
 *
 * <p>The loops suit C2. It would unroll them, move the loads of all copies to the front and, with 16 registers, put the
 * accumulators on the stack (1.7 times as slow): a step that is no constant keeps it from that. With eight rows even one
 * copy's loads are too many, unless the address of B's is made first; then A's are loaded one by one. The loops are written
 * out for the reason that {@link MicroKernel} gives.
 */
final class DotProducts {
    /** Accumulators that are added up together: as many as a vector has lanes. */
    private static final int GROUP = 8;
    /** Most rows of A for which this beats tiles, which are faster with wider vectors. */
    static final int MOST_ROWS = Lanes.FLOATS > GROUP ? GROUP : 2 * GROUP;
    /** Most floats of B in a task. */
    private static final int GRAIN = 1 << 16;

    private static final int SUMS = Scratch.newSlot();
    private static final int INTERLEAVED = Scratch.newSlot();

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
    /** {@link #V}, but no constant to the JIT. */
    private static long step = V;

    private final int m;
    private final int k;
    private final float alpha;
    private final long a;
    private final long rowA;
    private final long b;
    private final long rowB;
    private final float beta;
    private final long c;
    private final long rowC;
    /** Rows of A that go through a loop at once, 1, 2, 4 or 8, and how often that has to be. */
    private final int rows;
    private final int stretches;
    /** Elements of a row that go through vectors. */
    private final int whole;
    /** Whether the sums of the vectors are C's elements as they are. */
    private final boolean plain;
    /** A's rows, a vector of each in turn. */
    private final long interleaved;

    private DotProducts(int m, int k, float alpha, long a, int lda, long b, int ldb, float beta, long c, int ldc) {
        this.m = m;
        this.k = k;
        this.alpha = alpha;
        this.a = a;
        this.b = b;
        this.beta = beta;
        this.c = c;
        rowA = (long) lda * Float.BYTES;
        rowB = (long) ldb * Float.BYTES;
        rowC = (long) ldc * Float.BYTES;
        rows = m <= 2 ? Math.max(1, m) : m <= 4 ? 4 : 8;
        stretches = Math.ceilDiv(m, rows);
        whole = k / WHOLE * WHOLE;
        plain = whole == k && alpha == 1 && beta == 0;
        if (rows == 1) {
            interleaved = a;
        } else {
            long bytes = (long) whole * Float.BYTES;
            interleaved = Scratch.get(INTERLEAVED, stretches * rows * bytes);
            for (int first = 0; first < m; first += rows) {
                interleave(m - first, rows, bytes, a + first * rowA, rowA, interleaved + first * bytes);
            }
        }
    }

    /** Whether a product of {@link Gemm} is of this kind. */
    static boolean suits(boolean transA, boolean transB, int m, int n) {
        return HAS_EIGHT && transB && !transA && m <= MOST_ROWS && m <= n;
    }

    /** As {@link Gemm#sgemm} for a product that {@link #suits}. */
    static void sgemm(int m, int n, int k, float alpha, long a, int lda, long b, int ldb, float beta, long c, int ldc) {
        new DotProducts(m, k, alpha, a, lda, b, ldb, beta, c, ldc).columns(0, n);
    }

    /** As {@link Gemm#multiply} for a product that {@link #suits}. */
    static void multiply(int m, int n, int k, float alpha, long a, int lda, long b, int ldb, float beta, long c,
            int ldc) {
        DotProducts product = new DotProducts(m, k, alpha, a, lda, b, ldb, beta, c, ldc);
        // All threads get equally many tasks, since most products are so small that each gets but one or two.
        long threads = WorkerPool.size();
        long tasks = Math.ceilDiv((long) n * k, GRAIN * threads) * threads;
        long grain = Math.max(GROUP, Math.ceilDiv(n, Math.max(1, tasks)));
        WorkerPool.forRange(n, grain, (from, to, worker) -> product.columns((int) from, (int) to));
    }

    /** Puts vectors of {@code rows} rows of A next to each other; the last of m stands in for those that are missing. */
    private static void interleave(int m, int rows, long bytes, long a, long rowA, long target) {
        long to = target & ADDRESS;
        for (int i = 0; i < rows; i++) {
            long from = a + Math.min(i, m - 1) * rowA & ADDRESS;
            for (long p = 0; p < bytes; p += V) {
                FloatVector.fromMemorySegment(F, ALL, from + p, ORDER).intoMemorySegment(ALL, to + p * rows + i * V,
                        ORDER);
            }
        }
    }

    /** Columns {@code from} up to but without {@code to} of C: a unit is a stretch of rows of one column. */
    private void columns(int from, int to) {
        int height = rows;
        int units = GROUP / height;
        long bytes = (long) whole * Float.BYTES;
        long sums = Scratch.get(SUMS, GROUP * V);
        long end = (long) to * stretches;
        for (long first = (long) from * stretches; first < end; first += units) {
            int count = (int) Math.min(units, end - first);
            for (int u = 0; u < count; u++) {
                long left = interleaved + (first + u) % stretches * height * bytes;
                long line = b + (first + u) / stretches * rowB;
                long target = sums + u * height * V;
                switch (height) {
                    case 1 -> one(bytes, left, line, target);
                    case 2 -> two(bytes, left, line, target);
                    case 4 -> four(bytes, left, line, target);
                    default -> eight(bytes, left, line, target);
                }
            }
            addUp(sums);
            for (int u = 0; u < count; u++) {
                write(first + u, sums + (long) Float.BYTES * u * height);
            }
        }
    }

    /** Completes a unit's sums and writes them. */
    private void write(long unit, long sums) {
        int first = (int) (unit % stretches) * rows;
        int count = Math.min(rows, m - first);
        long j = unit / stretches;
        long element = c + first * rowC + j * Float.BYTES;
        for (int i = 0; i < count; i++) {
            float sum = Memory.getFloat(sums + (long) Float.BYTES * i);
            if (!plain) {
                sum = alpha * rest(sum, a + (first + i) * rowA, b + j * rowB);
                sum = beta == 0 ? sum : Math.fma(beta, Memory.getFloat(element), sum);
            }
            Memory.setFloat(element, sum);
            element += rowC;
        }
    }

    /** Continues a sum with what is less than a multiple of {@link #WHOLE}. */
    private float rest(float sum, long a, long b) {
        float result = sum;
        for (int p = whole; p < k; p++) {
            long offset = (long) p * Float.BYTES;
            result = Math.fma(Memory.getFloat(a + offset), Memory.getFloat(b + offset), result);
        }
        return result;
    }

    /** One row of A by one of B: an accumulator of eight sums to {@code sums}. */
    private static void one(long bytes, long a, long b, long sums) {
        long right = b & ADDRESS;
        long left = a & ADDRESS;
        FloatVector s0 = FloatVector.zero(F);
        long stride = 4 * step;
        for (long p = 0; p < bytes; p += stride) {
            long at = p & ADDRESS;
            long line = right + at;
            long next = left + at;
            s0 = FloatVector.fromMemorySegment(F, ALL, next, ORDER)
                    .fma(FloatVector.fromMemorySegment(F, ALL, line, ORDER), s0);
            s0 = FloatVector.fromMemorySegment(F, ALL, next + V, ORDER)
                    .fma(FloatVector.fromMemorySegment(F, ALL, line + V, ORDER), s0);
            s0 = FloatVector.fromMemorySegment(F, ALL, next + 2 * V, ORDER)
                    .fma(FloatVector.fromMemorySegment(F, ALL, line + 2 * V, ORDER), s0);
            s0 = FloatVector.fromMemorySegment(F, ALL, next + 3 * V, ORDER)
                    .fma(FloatVector.fromMemorySegment(F, ALL, line + 3 * V, ORDER), s0);
        }
        long target = sums & ADDRESS;
        s0.intoMemorySegment(ALL, target, ORDER);
    }

    /** Two rows of A by one of B. */
    private static void two(long bytes, long a, long b, long sums) {
        long right = b & ADDRESS;
        long left = a & ADDRESS;
        FloatVector s0 = FloatVector.zero(F);
        FloatVector s1 = FloatVector.zero(F);
        long stride = 4 * step;
        for (long p = 0; p < bytes; p += stride) {
            long at = p & ADDRESS;
            long line = right + at;
            long next = left + 2 * at;
            FloatVector b0 = FloatVector.fromMemorySegment(F, ALL, line, ORDER);
            s0 = FloatVector.fromMemorySegment(F, ALL, next, ORDER).fma(b0, s0);
            s1 = FloatVector.fromMemorySegment(F, ALL, next + V, ORDER).fma(b0, s1);
            FloatVector b1 = FloatVector.fromMemorySegment(F, ALL, line + V, ORDER);
            s0 = FloatVector.fromMemorySegment(F, ALL, next + 2 * V, ORDER).fma(b1, s0);
            s1 = FloatVector.fromMemorySegment(F, ALL, next + 3 * V, ORDER).fma(b1, s1);
            FloatVector b2 = FloatVector.fromMemorySegment(F, ALL, line + 2 * V, ORDER);
            s0 = FloatVector.fromMemorySegment(F, ALL, next + 4 * V, ORDER).fma(b2, s0);
            s1 = FloatVector.fromMemorySegment(F, ALL, next + 5 * V, ORDER).fma(b2, s1);
            FloatVector b3 = FloatVector.fromMemorySegment(F, ALL, line + 3 * V, ORDER);
            s0 = FloatVector.fromMemorySegment(F, ALL, next + 6 * V, ORDER).fma(b3, s0);
            s1 = FloatVector.fromMemorySegment(F, ALL, next + 7 * V, ORDER).fma(b3, s1);
        }
        long target = sums & ADDRESS;
        s0.intoMemorySegment(ALL, target, ORDER);
        s1.intoMemorySegment(ALL, target + V, ORDER);
    }

    /** Four rows of A by one of B. */
    private static void four(long bytes, long a, long b, long sums) {
        long right = b & ADDRESS;
        long left = a & ADDRESS;
        FloatVector s0 = FloatVector.zero(F);
        FloatVector s1 = FloatVector.zero(F);
        FloatVector s2 = FloatVector.zero(F);
        FloatVector s3 = FloatVector.zero(F);
        long stride = 2 * step;
        for (long p = 0; p < bytes; p += stride) {
            long at = p & ADDRESS;
            long line = right + at;
            long next = left + 4 * at;
            FloatVector b0 = FloatVector.fromMemorySegment(F, ALL, line, ORDER);
            s0 = FloatVector.fromMemorySegment(F, ALL, next, ORDER).fma(b0, s0);
            s1 = FloatVector.fromMemorySegment(F, ALL, next + V, ORDER).fma(b0, s1);
            s2 = FloatVector.fromMemorySegment(F, ALL, next + 2 * V, ORDER).fma(b0, s2);
            s3 = FloatVector.fromMemorySegment(F, ALL, next + 3 * V, ORDER).fma(b0, s3);
            FloatVector b1 = FloatVector.fromMemorySegment(F, ALL, line + V, ORDER);
            s0 = FloatVector.fromMemorySegment(F, ALL, next + 4 * V, ORDER).fma(b1, s0);
            s1 = FloatVector.fromMemorySegment(F, ALL, next + 5 * V, ORDER).fma(b1, s1);
            s2 = FloatVector.fromMemorySegment(F, ALL, next + 6 * V, ORDER).fma(b1, s2);
            s3 = FloatVector.fromMemorySegment(F, ALL, next + 7 * V, ORDER).fma(b1, s3);
        }
        long target = sums & ADDRESS;
        s0.intoMemorySegment(ALL, target, ORDER);
        s1.intoMemorySegment(ALL, target + V, ORDER);
        s2.intoMemorySegment(ALL, target + 2 * V, ORDER);
        s3.intoMemorySegment(ALL, target + 3 * V, ORDER);
    }

    /** Eight rows of A by one of B. */
    private static void eight(long bytes, long a, long b, long sums) {
        long right = b & ADDRESS;
        long left = a & ADDRESS;
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
            long line = right + at;
            long next = left + 8 * at;
            FloatVector b0 = FloatVector.fromMemorySegment(F, ALL, line, ORDER);
            s0 = FloatVector.fromMemorySegment(F, ALL, next, ORDER).fma(b0, s0);
            s1 = FloatVector.fromMemorySegment(F, ALL, next + V, ORDER).fma(b0, s1);
            s2 = FloatVector.fromMemorySegment(F, ALL, next + 2 * V, ORDER).fma(b0, s2);
            s3 = FloatVector.fromMemorySegment(F, ALL, next + 3 * V, ORDER).fma(b0, s3);
            s4 = FloatVector.fromMemorySegment(F, ALL, next + 4 * V, ORDER).fma(b0, s4);
            s5 = FloatVector.fromMemorySegment(F, ALL, next + 5 * V, ORDER).fma(b0, s5);
            s6 = FloatVector.fromMemorySegment(F, ALL, next + 6 * V, ORDER).fma(b0, s6);
            s7 = FloatVector.fromMemorySegment(F, ALL, next + 7 * V, ORDER).fma(b0, s7);
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
