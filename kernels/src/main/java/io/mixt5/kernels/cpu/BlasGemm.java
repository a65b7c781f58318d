package io.mixt5.kernels.cpu;

import io.mixt5.ffm.OpenBlas;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * {@link Gemm} by OpenBLAS, which runs single-threaded; the parallel product hands it blocks of C.
 *
 * <p>OpenBLAS packs both operands anew for every block, so that a block wants to be wide both ways: on a Zen 3 core
 * 384 x 32 x 4096 runs at 17 GFLOP/s, 384 x 512 x 4096 at 57. Blocks are therefore few, and a C that is too small to be
 * cut (a weight's gradient, from thousands of rows) is computed in slices of k, each whole, that are added up in order.
 * With few rows the packing would be most of the work: such products are {@link DotProducts}.
 */
final class BlasGemm implements Gemm {
    /** Blocks a thread, so that one that is held up does not hold up the rest. */
    private static final int BLOCKS_A_THREAD = 2;
    /** Multiply-adds that make a block worth handing out: some tens of microseconds. */
    private static final long LEAST_WORK = 1 << 20;
    /** Least steps of k in a slice, and most slices. Results depend on these two; on none of the other sizes. */
    private static final int LEAST_SLICE = 512;
    private static final int MOST_SLICES = 4;

    private static final int SLICES = Scratch.newSlot();

    @Override
    public void sgemm(boolean transA, boolean transB, int m, int n, int k, float alpha, long a, int lda, long b,
            int ldb, float beta, long c, int ldc) {
        if (DotProducts.suits(transA, transB, m, n)) {
            DotProducts.sgemm(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
            return;
        }
        OpenBlas.sgemm(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    }

    @Override
    public void multiply(boolean transA, boolean transB, int m, int n, int k, float alpha, long a, int lda, long b,
            int ldb, float beta, long c, int ldc) {
        if (DotProducts.suits(transA, transB, m, n)) {
            DotProducts.multiply(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
            return;
        }
        int slices = Math.min(MOST_SLICES, k / LEAST_SLICE);
        if (slices > 1 && Math.max(m, n) < k / 2) {
            sliced(slices, transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        } else {
            byBlocks(transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        }
    }

    private void byBlocks(boolean transA, boolean transB, int m, int n, int k, float alpha, long a, int lda, long b,
            int ldb, float beta, long c, int ldc) {
        long worthwhile = (long) m * n * k / LEAST_WORK;
        if (m >= n) {
            Cut cut = Cut.rows(m, Math.min(worthwhile, (long) BLOCKS_A_THREAD * WorkerPool.size()));
            WorkerPool.forEach(cut.blocks(), (block, worker) -> {
                int from = cut.start(block);
                sgemm(transA, transB, cut.start(block + 1) - from, n, k, alpha,
                        a + (transA ? 1L : lda) * from * Float.BYTES, lda, b, ldb, beta,
                        c + (long) ldc * from * Float.BYTES, ldc);
            });
        } else {
            Cut cut = Cut.columns(n, worthwhile);
            WorkerPool.forEach(cut.blocks(), (block, worker) -> {
                int from = cut.start(block);
                sgemm(transA, transB, m, cut.start(block + 1) - from, k, alpha, a, lda,
                        b + (transB ? ldb : 1L) * from * Float.BYTES, ldb, beta, c + (long) from * Float.BYTES, ldc);
            });
        }
    }

    /** The product as a sum of products over slices of k: the first one is made in C, the others aside. */
    private static void sliced(int slices, boolean transA, boolean transB, int m, int n, int k, float alpha, long a,
            int lda, long b, int ldb, float beta, long c, int ldc) {
        long depth = Math.ceilDiv(k, slices);
        long row = (long) n * Float.BYTES;
        long aside = Scratch.get(SLICES, (slices - 1) * m * row);
        WorkerPool.forRange(k, depth, (from, to, worker) -> {
            long slice = from / depth;
            OpenBlas.sgemm(transA, transB, m, n, (int) (to - from), alpha,
                    a + from * (transA ? lda : 1) * Float.BYTES, lda, b + from * (transB ? 1 : ldb) * Float.BYTES, ldb,
                    slice == 0 ? beta : 0, slice == 0 ? c : aside + (slice - 1) * m * row, slice == 0 ? ldc : n);
        });
        WorkerPool.forRange(m, Chunks.rows(n), (from, to, worker) -> {
            for (long i = from; i < to; i++) {
                addUp(n, c + i * ldc * Float.BYTES, slices - 1, aside + i * row, m * row);
            }
        });
    }

    /** Adds {@code count} rows, {@code step} bytes apart, to the one at {@code target}. */
    private static void addUp(int n, long target, int count, long rows, long step) {
        for (int j = 0; j < n; j += Lanes.FLOATS) {
            VectorMask<Float> present = Floats.first(n - j);
            long offset = (long) j * Float.BYTES;
            FloatVector sum = Floats.load(target + offset, present);
            for (int i = 0; i < count; i++) {
                sum = sum.add(Floats.load(rows + i * step + offset, present));
            }
            Floats.store(target + offset, sum, present);
        }
    }

    @Override
    public String description() {
        return OpenBlas.config();
    }
}
