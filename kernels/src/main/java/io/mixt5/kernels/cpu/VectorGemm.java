package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;

/**
 * {@link Gemm} in Java, by the Vector API.
 *
 * <p>The scheme is that of Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication (ACM TOMS 34,
 * 2008), see {@link PackedProduct}; products of few rows are {@link DotProducts}. The order in which an element of C
 * is summed depends on k alone, not on the tile, block or thread it falls to: {@link #sgemm} and {@link #multiply} give
 * the same bits, for any number of threads.
 */
final class VectorGemm implements Gemm {
    @Override
    public void sgemm(boolean transA, boolean transB, int m, int n, int k, float alpha, long a, int lda, long b,
            int ldb, float beta, long c, int ldc) {
        if (m == 0 || n == 0) {
            return;
        }
        if (k == 0 || alpha == 0) {
            scale(m, n, beta, c, ldc);
            return;
        }
        if (DotProducts.suits(transA, transB, m, n)) {
            DotProducts.sgemm(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
            return;
        }
        PackedProduct product = new PackedProduct(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, 1);
        while (product.nextChunk()) {
            for (int task = 0; task < product.packingTasks(); task++) {
                product.packShared(task);
            }
            for (int task = 0; task < product.blocks(); task++) {
                product.multiplyBlock(task);
            }
        }
    }

    @Override
    public void multiply(boolean transA, boolean transB, int m, int n, int k, float alpha, long a, int lda, long b,
            int ldb, float beta, long c, int ldc) {
        if (m == 0 || n == 0 || k == 0 || alpha == 0) {
            sgemm(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
            return;
        }
        if (DotProducts.suits(transA, transB, m, n)) {
            DotProducts.multiply(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
            return;
        }
        PackedProduct product = new PackedProduct(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc,
                WorkerPool.size());
        while (product.nextChunk()) {
            WorkerPool.forEach(product.packingTasks(), (task, worker) -> product.packShared(task));
            WorkerPool.forEach(product.blocks(), (task, worker) -> product.multiplyBlock(task));
        }
    }

    @Override
    public String description() {
        return "Java Vector API, " + Lanes.F.vectorBitSize() + " bits";
    }

    /** C = beta C; as in BLAS, zeros without a look at C when beta is 0. */
    private static void scale(int m, int n, float beta, long c, int ldc) {
        for (int i = 0; i < m; i++) {
            long row = c + (long) i * ldc * Float.BYTES;
            for (int j = 0; j < n; j++) {
                long element = row + (long) j * Float.BYTES;
                Memory.setFloat(element, beta == 0 ? 0 : beta * Memory.getFloat(element));
            }
        }
    }
}
