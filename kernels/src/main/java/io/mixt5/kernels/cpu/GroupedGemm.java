package io.mixt5.kernels.cpu;

import java.util.ArrayList;
import java.util.List;

/**
 * Several products of {@link Gemm} at once, all with the same transpositions, on {@link WorkerPool}: cut into blocks of
 * about equal work, each a single-threaded product. So products of very unequal sizes still keep all threads busy.
 */
final class GroupedGemm {
    /** Blocks of all products together, unless there are more products. OpenBLAS packs its operands anew for each. */
    private static final int BLOCKS = 4 * WorkerPool.size();
    /** Multiply-adds that make a block worth handing out: some tens of microseconds. */
    private static final long LEAST_WORK = 1 << 20;
    /** Blocks start at multiples of this, as those of {@link BlasGemm}: bits do not depend on how many there are. */
    private static final int ALIGNMENT = BlasGemm.LEAST_BLOCK;

    private final boolean transA;
    private final boolean transB;
    private final List<Product> products = new ArrayList<>();

    /** C = op(A) op(B) + beta C, as {@link Gemm} has it. */
    private record Product(int m, int n, int k, long a, int lda, long b, int ldb, float beta, long c, int ldc) {
        /** Multiply-adds, and one step more for the writing of C, which is all there is when k is 0. */
        long work() {
            return (long) m * n * (k + 1);
        }
    }

    /** Some rows of a product's C, or columns where it has more of them. */
    private record Block(Product product, int from, int length) {
    }

    GroupedGemm(boolean transA, boolean transB) {
        this.transA = transA;
        this.transB = transB;
    }

    /** Adds the product C = op(A) op(B) + beta C. */
    void add(int m, int n, int k, long a, int lda, long b, int ldb, float beta, long c, int ldc) {
        products.add(new Product(m, n, k, a, lda, b, ldb, beta, c, ldc));
    }

    /** Computes all of them. */
    void run() {
        long work = 0;
        for (Product product : products) {
            work += product.work();
        }
        List<Block> blocks = new ArrayList<>();
        for (Product product : products) {
            cut(product, Math.max(LEAST_WORK, work / BLOCKS), blocks);
        }
        WorkerPool.forEach(blocks.size(), (task, worker) -> multiply(blocks.get(task)));
    }

    /** Cuts a product into blocks of about {@code work}; one without rows or columns into none. */
    private static void cut(Product product, long work, List<Block> blocks) {
        int longer = Math.max(product.m, product.n);
        int count = Math.clamp(product.work() / work, 1, BLOCKS);
        int length = (longer + count * ALIGNMENT - 1) / (count * ALIGNMENT) * ALIGNMENT;
        for (int from = 0; from < longer && product.work() > 0; from += length) {
            blocks.add(new Block(product, from, Math.min(length, longer - from)));
        }
    }

    private void multiply(Block block) {
        Product p = block.product;
        long from = block.from;
        if (p.m >= p.n) {
            Gemms.gemm().sgemm(transA, transB, block.length, p.n, p.k, 1,
                    p.a + from * (transA ? 1 : p.lda) * Float.BYTES, p.lda, p.b, p.ldb, p.beta,
                    p.c + from * p.ldc * Float.BYTES, p.ldc);
        } else {
            Gemms.gemm().sgemm(transA, transB, p.m, block.length, p.k, 1, p.a, p.lda,
                    p.b + from * (transB ? p.ldb : 1) * Float.BYTES, p.ldb, p.beta, p.c + from * Float.BYTES, p.ldc);
        }
    }
}
