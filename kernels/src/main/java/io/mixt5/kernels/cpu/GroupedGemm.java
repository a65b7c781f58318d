package io.mixt5.kernels.cpu;

import java.util.ArrayList;
import java.util.Comparator;
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

    /** Some rows of a product's C. */
    private record Block(Product product, int from, int length) {
        long work() {
            return product.work() / product.m * length;
        }
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
        // The largest first, so that threads end at about the same time.
        blocks.sort(Comparator.comparingLong(Block::work).reversed());
        WorkerPool.forEach(blocks.size(), (task, worker) -> multiply(blocks.get(task)));
    }

    /** Cuts a product into blocks of about {@code work}; one without rows or columns into none. */
    private static void cut(Product product, long work, List<Block> blocks) {
        if (product.work() > 0) {
            Cut cut = Cut.rows(product.m, product.work() / work);
            for (int i = 0; i < cut.blocks(); i++) {
                blocks.add(new Block(product, cut.start(i), cut.start(i + 1) - cut.start(i)));
            }
        }
    }

    private void multiply(Block block) {
        Product p = block.product;
        long from = block.from;
        Gemms.gemm().sgemm(transA, transB, block.length, p.n, p.k, 1, p.a + from * (transA ? 1 : p.lda) * Float.BYTES,
                p.lda, p.b, p.ldb, p.beta, p.c + from * p.ldc * Float.BYTES, p.ldc);
    }
}
