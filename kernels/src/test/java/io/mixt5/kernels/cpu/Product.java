package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.Memory;
import java.lang.foreign.Arena;
import java.util.Random;

/**
 * The data of one matrix product, with its check against plain loops in double precision. What must not be read (around
 * the operands, between their rows, C before it is written when beta is 0) is NaN; what must not be written (around C
 * and between its rows) is guarded.
 */
final class Product implements AutoCloseable {
    private static final int GUARDS = 64;
    private static final float GUARD = 12345.678f;
    /** Elements compared when all of them would take long. */
    private static final int SAMPLE = 20_000;

    private final Arena arena;
    private final boolean transA;
    private final boolean transB;
    private final int m;
    private final int n;
    private final int k;
    private final float alpha;
    private final float beta;
    private final int lda;
    private final int ldb;
    private final int ldc;
    private final long a;
    private final long b;
    private final long c;

    /** A product whose rows lie {@code gap} floats further apart than they are wide. */
    Product(Random random, boolean transA, boolean transB, int m, int n, int k, float alpha, float beta, int gap) {
        this.arena = Arena.ofShared();
        this.transA = transA;
        this.transB = transB;
        this.m = m;
        this.n = n;
        this.k = k;
        this.alpha = alpha;
        this.beta = beta;
        lda = Math.max(1, (transA ? m : k) + gap);
        ldb = Math.max(1, (transB ? k : n) + gap);
        ldc = Math.max(1, n + gap);
        a = allocate(transA ? k : m, lda, Float.NaN);
        b = allocate(transB ? n : k, ldb, Float.NaN);
        c = allocate(m, ldc, GUARD);
        randomise(random, a, transA ? k : m, transA ? m : k, lda);
        randomise(random, b, transB ? n : k, transB ? k : n, ldb);
    }

    private Product(Product whole, int rows) {
        arena = whole.arena;
        transA = whole.transA;
        transB = whole.transB;
        m = rows;
        n = whole.n;
        k = whole.k;
        alpha = whole.alpha;
        beta = whole.beta;
        lda = whole.lda;
        ldb = whole.ldb;
        ldc = whole.ldc;
        a = whole.a;
        b = whole.b;
        c = whole.c;
    }

    /** A product of the given sizes; everything else is drawn. */
    static Product random(Random random, int m, int n, int k) {
        float[] factors = {0, 1, 1, random.nextFloat() - 0.5f};
        return new Product(random, random.nextBoolean(), random.nextBoolean(), m, n, k,
                random.nextBoolean() ? 1 : random.nextFloat() - 0.5f, factors[random.nextInt(4)], random.nextInt(4));
    }

    /** The same with only its first rows, on the same memory; needs no close. */
    Product firstRows(int rows) {
        return new Product(this, rows);
    }

    void poisonOperands() {
        randomise(null, a, transA ? k : m, transA ? m : k, lda);
        randomise(null, b, transB ? n : k, transB ? k : n, ldb);
    }

    /** Runs it and returns C, m x n. */
    float[] run(Gemm gemm, boolean parallel) {
        fillC();
        call(gemm, parallel);
        float[] result = new float[m * n];
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                result[i * n + j] = get(c, i * ldc + j);
            }
        }
        return result;
    }

    /** Runs it and compares. */
    void check(Gemm gemm, boolean parallel) {
        fillC();
        call(gemm, parallel);
        String what = gemm.getClass().getSimpleName() + (parallel ? " multiply " : " sgemm ") + m + " x " + n + " x "
                + k
                + (transA ? " T" : " N") + (transB ? "T" : "N") + " alpha " + alpha + " beta " + beta;
        int every = Math.max(1, (int) ((long) m * n * k / SAMPLE / 1000) | 1);
        for (int at = 0; at < m * n; at += every) {
            int i = at / n;
            int j = at % n;
            double sum = 0;
            double size = 0;
            for (int p = 0; p < k && alpha != 0; p++) {
                double term = (double) get(a, transA ? p * lda + i : i * lda + p)
                        * get(b, transB ? j * ldb + p : p * ldb + j);
                sum += term;
                size += Math.abs(term);
            }
            double expected = alpha * sum + (beta == 0 ? 0 : beta * initial(i, j));
            double tolerance = 2e-7 * Math.sqrt(k + 4) * (Math.abs(alpha) * size + Math.abs(beta * initial(i, j)));
            assertEquals(expected, get(c, i * ldc + j), tolerance + 1e-30, what + " at " + i + ", " + j);
        }
        for (int i = 0; i < m; i++) {
            for (int j = n; j < ldc; j++) {
                assertEquals(GUARD, get(c, i * ldc + j), what + ": wrote between rows");
            }
        }
        for (int i = 1; i <= GUARDS; i++) {
            assertEquals(GUARD, get(c, -i), what + ": wrote before C");
            assertEquals(GUARD, get(c, m * ldc + i - 1), what + ": wrote behind C");
        }
    }

    private void call(Gemm gemm, boolean parallel) {
        if (parallel) {
            gemm.multiply(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        } else {
            gemm.sgemm(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        }
    }

    private void fillC() {
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                set(c, i * ldc + j, beta == 0 ? Float.NaN : initial(i, j));
            }
        }
    }

    private static float initial(int i, int j) {
        return (i * 31 + j * 17) % 11 - 5;
    }

    /** Memory for a matrix with guards around, and between its rows, of {@code value}. */
    private long allocate(int rows, int stride, float value) {
        int floats = rows * stride + 2 * GUARDS;
        long address = arena.allocate((long) floats * Float.BYTES, Float.BYTES).address();
        for (int i = 0; i < floats; i++) {
            set(address, i, value);
        }
        return address + (long) GUARDS * Float.BYTES;
    }

    /** Fills a matrix from a generator, or with NaN without one. */
    private static void randomise(Random random, long address, int rows, int columns, int stride) {
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                set(address, i * stride + j, random == null ? Float.NaN : random.nextFloat() - 0.5f);
            }
        }
    }

    private static float get(long address, int index) {
        return Memory.getFloat(address + (long) index * Float.BYTES);
    }

    private static void set(long address, int index, float value) {
        Memory.setFloat(address + (long) index * Float.BYTES, value);
    }

    @Override
    public void close() {
        arena.close();
    }
}
