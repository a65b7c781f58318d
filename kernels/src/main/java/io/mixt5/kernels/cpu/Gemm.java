package io.mixt5.kernels.cpu;

/**
 * The matrix product C = alpha op(A) op(B) + beta C in single precision, over raw memory; op transposes where the
 * flag says so.
 *
 * <p>All matrices are row-major. A is m x k, or k x m when {@code transA}; B is k x n, or n x k when {@code transB};
 * C is m x n. {@code lda}, {@code ldb} and {@code ldc} are the distances between row starts in floats, at least the
 * rows' widths. {@code a}, {@code b} and {@code c} are addresses, 4-byte aligned. C overlaps neither A nor B. As in
 * BLAS, C is not read when beta is 0, A and B are not read when alpha or k is 0, and nothing is touched when m or n is
 * 0. Nothing is checked here: callers have checked shapes.
 *
 * <p>Sums over k are in single precision, in an order that depends on the sizes alone, so that equal calls give equal
 * bits whatever the number of threads. Any number of threads may call at once.
 */
public interface Gemm {
    /** The product on the calling thread alone, for callers which run many of them side by side. */
    void sgemm(boolean transA, boolean transB, int m, int n, int k, float alpha, long a, int lda, long b, int ldb,
            float beta, long c, int ldc);

    /** The product spread over {@link WorkerPool}; within a task of the pool, on that task's thread alone. */
    void multiply(boolean transA, boolean transB, int m, int n, int k, float alpha, long a, int lda, long b, int ldb,
            float beta, long c, int ldc);

    /** What computes, for people: the library or instruction set and its version. */
    String description();
}
