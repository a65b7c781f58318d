package io.mixt5.ffm.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.mixt5.ffm.OpenBlas;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * C = alpha op(A) op(B) + beta C on matrices in a driver's device memory, column-major as in BLAS: fetched, multiplied
 * in single precision by OpenBLAS, and put back. C is not read when beta is 0.
 */
final class DeviceProduct {
    private final CudaDriver driver;
    private final long stream;
    private final boolean transA;
    private final boolean transB;
    private final int m;
    private final int n;
    private final int k;
    private final float alpha;
    private final float beta;

    DeviceProduct(CudaDriver driver, long stream, boolean transA, boolean transB, int m, int n, int k, float alpha,
            float beta) {
        if (m < 0 || n < 0 || k < 0) {
            throw new IllegalArgumentException("a product of " + m + " x " + k + " and " + k + " x " + n);
        }
        this.driver = driver;
        this.stream = stream;
        this.transA = transA;
        this.transB = transB;
        this.m = m;
        this.n = n;
        this.k = k;
        this.alpha = alpha;
        this.beta = beta;
    }

    /**
     * Does one product.
     *
     * @param a device address of A, m x k (k x m when transposed), columns {@code lda} elements apart; B and C likewise
     */
    void run(long a, int lda, long b, int ldb, ElementType factors, long c, int ldc, ElementType result) {
        if (m == 0 || n == 0) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment left = fetch(a, transA ? k : m, transA ? m : k, lda, factors, arena);
            MemorySegment right = fetch(b, transB ? n : k, transB ? k : n, ldb, factors, arena);
            MemorySegment product = beta == 0
                    ? arena.allocate(JAVA_FLOAT, (long) m * n)
                    : fetch(c, m, n, ldc, result, arena);
            // A matrix by columns is its transpose by rows, and the transpose of A B is that of B times that of A.
            OpenBlas.sgemm(transB, transA, n, m, k, alpha, right.address(), transB ? n : Math.max(k, 1), left.address(),
                    transA ? Math.max(k, 1) : m, beta, product.address(), m);
            put(product, c, ldc, result, arena);
        }
    }

    /** A matrix as floats, its columns without gaps. */
    private MemorySegment fetch(long address, int rows, int columns, int ld, ElementType type, Arena arena) {
        if (ld < Math.max(rows, 1)) {
            throw new IllegalArgumentException("columns of " + rows + " rows cannot lie " + ld + " elements apart");
        }
        MemorySegment floats = arena.allocate(JAVA_FLOAT, Math.max((long) rows * columns, 1));
        MemorySegment raw = arena.allocate((long) rows * type.bytes() + 1, Float.BYTES);
        for (long column = 0; column < columns && rows > 0; column++) {
            driver.download(address + column * ld * type.bytes(), raw.address(), (long) rows * type.bytes(), stream);
            driver.synchronize(stream);
            for (long row = 0; row < rows; row++) {
                floats.setAtIndex(JAVA_FLOAT, column * rows + row, type.get(raw, row));
            }
        }
        return floats;
    }

    private void put(MemorySegment floats, long address, int ld, ElementType type, Arena arena) {
        if (ld < m) {
            throw new IllegalArgumentException("columns of " + m + " rows cannot lie " + ld + " elements apart");
        }
        MemorySegment raw = arena.allocate((long) m * type.bytes(), Float.BYTES);
        for (long column = 0; column < n; column++) {
            for (long row = 0; row < m; row++) {
                type.set(raw, row, floats.getAtIndex(JAVA_FLOAT, column * m + row));
            }
            driver.upload(raw.address(), address + column * ld * type.bytes(), (long) m * type.bytes(), stream);
        }
        driver.synchronize(stream);
    }
}
