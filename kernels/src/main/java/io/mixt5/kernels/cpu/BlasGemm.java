package io.mixt5.kernels.cpu;

import io.mixt5.ffm.OpenBlas;

/** {@link Gemm} by OpenBLAS, which runs single-threaded; the parallel product hands it blocks of C. */
final class BlasGemm implements Gemm {
    /** OpenBLAS packs its operands anew for every block, so that blocks want to be few; many threads want many. */
    private static final int MOST_BLOCKS = 16;
    /** Multiply-adds that make a block worth handing out: some tens of microseconds. */
    private static final long LEAST_WORK = 1 << 20;
    /** Blocks start at multiples of this, so that none but the last has ragged tiles. */
    private static final int ALIGNMENT = 32;
    /** OpenBLAS copies the whole of B before it multiplies; with few rows the copy would be most of the work. */
    private static final boolean USES_DOTS = Lanes.FLOATS >= 8;

    @Override
    public void sgemm(boolean transA, boolean transB, int m, int n, int k, float alpha, long a, int lda, long b,
            int ldb, float beta, long c, int ldc) {
        if (USES_DOTS && DotProducts.suits(transA, transB, m, n)) {
            DotProducts.sgemm(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
            return;
        }
        OpenBlas.sgemm(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    }

    @Override
    public void multiply(boolean transA, boolean transB, int m, int n, int k, float alpha, long a, int lda, long b,
            int ldb, float beta, long c, int ldc) {
        if (USES_DOTS && DotProducts.suits(transA, transB, m, n)) {
            DotProducts.multiply(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
            return;
        }
        if (m >= n) {
            int block = block(m, (long) n * k);
            WorkerPool.forRange(m, block, (from, to, worker) -> sgemm(transA, transB, (int) (to - from), n, k, alpha,
                    a + from * (transA ? 1 : lda) * Float.BYTES, lda, b, ldb, beta, c + from * ldc * Float.BYTES, ldc));
        } else {
            int block = block(n, (long) m * k);
            WorkerPool.forRange(n, block, (from, to, worker) -> sgemm(transA, transB, m, (int) (to - from), k, alpha,
                    a, lda, b + from * (transB ? ldb : 1) * Float.BYTES, ldb, beta, c + from * Float.BYTES, ldc));
        }
    }

    @Override
    public String description() {
        return OpenBlas.config();
    }

    /** Rows (or columns) a block when {@code length} of them cost {@code work} multiply-adds each. */
    private static int block(int length, long work) {
        long blocks = Math.clamp(length * work / LEAST_WORK, 1, MOST_BLOCKS);
        long block = (length + blocks - 1) / blocks;
        return Math.toIntExact(Math.max(1, Math.ceilDiv(block, ALIGNMENT)) * ALIGNMENT);
    }
}
