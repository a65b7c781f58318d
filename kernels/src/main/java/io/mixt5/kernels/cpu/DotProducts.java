package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The product of a few rows with a transposed matrix, C = alpha A B^T + beta C, as generation needs it: each weight is
 * used so few times that reading B from memory is the work.
 *
 * <p>An element is the dot product of two contiguous rows. Its bits depend on k alone, not on m or n.
 */
final class DotProducts {
    /** Most rows of A for which this beats tiles. */
    private static final int MOST_ROWS = 8;
    /** Rows of A that go through one loop. */
    private static final int ROWS = 4;
    /** Rows of B that are fetched at once. */
    private static final int FETCHED = 8;
    /** Floats of B in a task. */
    private static final int GRAIN = 1 << 16;

    private static final int SINK = Scratch.newSlot();

    private static final VectorSpecies<Float> F = Lanes.F;
    private static final MemorySegment ALL = Memory.ALL;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final int STEP = 2 * Lanes.FLOATS;
    private static final long V = (long) Lanes.FLOATS * Float.BYTES;
    private static final long CACHE_LINE = 64;
    /** Addresses in user space are smaller; the JIT, told so, drops the bounds checks. */
    private static final long ADDRESS = (1L << 48) - 1;

    private DotProducts() {
    }

    /** Whether a product of {@link Gemm} is of this kind. */
    static boolean suits(boolean transA, boolean transB, int m, int n) {
        return transB && !transA && m <= MOST_ROWS && m < n;
    }

    /** As {@link Gemm#sgemm} for a product that {@link #suits}. */
    static void sgemm(int m, int n, int k, float alpha, long a, int lda, long b, int ldb, float beta, long c, int ldc) {
        columns(0, n, m, k, alpha, a, lda, b, ldb, beta, c, ldc);
    }

    /** As {@link Gemm#multiply} for a product that {@link #suits}. */
    static void multiply(int m, int n, int k, float alpha, long a, int lda, long b, int ldb, float beta, long c,
            int ldc) {
        int grain = Math.max(FETCHED, GRAIN / Math.max(1, k));
        WorkerPool.forRange(n, grain, (from, to, worker) -> columns((int) from, (int) to, m, k, alpha, a, lda, b, ldb,
                beta, c, ldc));
    }

    /** Columns {@code from} up to but without {@code to} of C. */
    private static void columns(int from, int to, int m, int k, float alpha, long a, int lda, long b, int ldb,
            float beta, long c, int ldc) {
        long rowA = (long) lda * Float.BYTES;
        long rowB = (long) ldb * Float.BYTES;
        long rowC = (long) ldc * Float.BYTES;
        int seen = 0;
        for (int group = from; group < to; group += FETCHED) {
            int end = Math.min(to, group + FETCHED);
            for (int j = group; j < end; j++) {
                seen ^= fetch(b + j * rowB, (long) k * Float.BYTES);
            }
            for (int j = group; j < end; j++) {
                for (int i = 0; i < m; i += ROWS) {
                    column(Math.min(ROWS, m - i), k, alpha, a + i * rowA, rowA, b + j * rowB, beta,
                            c + i * rowC + (long) j * Float.BYTES, rowC);
                }
            }
        }
        Memory.setInt(Scratch.get(SINK, Integer.BYTES), seen);
    }

    /**
     * Brings memory into the cache by a read of every line. A loop that does nothing else has many more lines under
     * way at a time than one that computes, and reads several times as fast. Returns what it read, for the caller to
     * store: otherwise the JIT would drop the reads.
     */
    private static int fetch(long address, long bytes) {
        int seen = 0;
        long from = address & ADDRESS;
        int lines = (int) (bytes / CACHE_LINE);
        for (int line = 0; line < lines; line++) {
            seen ^= ALL.get(ValueLayout.JAVA_INT_UNALIGNED, from + line * CACHE_LINE);
        }
        return seen;
    }

    /** Up to {@link #ROWS} elements of one column; the last row stands in for those that are missing. */
    private static void column(int rows, int k, float alpha, long a, long rowA, long b, float beta, long c, long rowC) {
        long a0 = a & ADDRESS;
        long a1 = a + Math.min(1, rows - 1) * rowA & ADDRESS;
        long a2 = a + Math.min(2, rows - 1) * rowA & ADDRESS;
        long a3 = a + (rows - 1) * rowA & ADDRESS;
        long b0 = b & ADDRESS;
        FloatVector s0 = FloatVector.zero(F);
        FloatVector s1 = FloatVector.zero(F);
        FloatVector s2 = FloatVector.zero(F);
        FloatVector s3 = FloatVector.zero(F);
        FloatVector t0 = FloatVector.zero(F);
        FloatVector t1 = FloatVector.zero(F);
        FloatVector t2 = FloatVector.zero(F);
        FloatVector t3 = FloatVector.zero(F);
        int whole = k / STEP * STEP;
        for (int p = 0; p < whole; p += STEP) {
            long offset = (long) p * Float.BYTES;
            FloatVector x = FloatVector.fromMemorySegment(F, ALL, b0 + offset, ORDER);
            FloatVector y = FloatVector.fromMemorySegment(F, ALL, b0 + offset + V, ORDER);
            s0 = FloatVector.fromMemorySegment(F, ALL, a0 + offset, ORDER).fma(x, s0);
            t0 = FloatVector.fromMemorySegment(F, ALL, a0 + offset + V, ORDER).fma(y, t0);
            s1 = FloatVector.fromMemorySegment(F, ALL, a1 + offset, ORDER).fma(x, s1);
            t1 = FloatVector.fromMemorySegment(F, ALL, a1 + offset + V, ORDER).fma(y, t1);
            s2 = FloatVector.fromMemorySegment(F, ALL, a2 + offset, ORDER).fma(x, s2);
            t2 = FloatVector.fromMemorySegment(F, ALL, a2 + offset + V, ORDER).fma(y, t2);
            s3 = FloatVector.fromMemorySegment(F, ALL, a3 + offset, ORDER).fma(x, s3);
            t3 = FloatVector.fromMemorySegment(F, ALL, a3 + offset + V, ORDER).fma(y, t3);
        }
        finish(VectorMath.sum(s0.add(t0)), whole, k, alpha, a0, b0, beta, c);
        if (rows > 1) {
            finish(VectorMath.sum(s1.add(t1)), whole, k, alpha, a1, b0, beta, c + rowC);
        }
        if (rows > 2) {
            finish(VectorMath.sum(s2.add(t2)), whole, k, alpha, a2, b0, beta, c + 2 * rowC);
        }
        if (rows > 3) {
            finish(VectorMath.sum(s3.add(t3)), whole, k, alpha, a3, b0, beta, c + 3 * rowC);
        }
    }

    /** Adds what remains of the dot product and stores the element. */
    private static void finish(float sum, int whole, int k, float alpha, long a, long b, float beta, long c) {
        for (int p = whole; p < k; p++) {
            long offset = (long) p * Float.BYTES;
            sum = Math.fma(Memory.getFloat(a + offset), Memory.getFloat(b + offset), sum);
        }
        float value = alpha * sum;
        Memory.setFloat(c, beta == 0 ? value : Math.fma(beta, Memory.getFloat(c), value));
    }
}
