package io.mixt5.kernels.cuda;

import io.mixt5.engine.DType;

/**
 * The matrix product C = op(A) op(B), or C += op(A) op(B), on a CUDA device; op transposes where the flag says so.
 *
 * <p>All matrices are row-major and of one type: F32, F16 or BF16. A is m x k, or k x m when {@code transA}; B is k x n,
 * or n x k when {@code transB}; C is m x n. Sums are kept in F32 and rounded once, the old C being added before.
 * {@code lda}, {@code ldb} and {@code ldc} are the distances between row starts in elements, at least the rows' widths.
 * {@code a}, {@code b} and {@code c} are device addresses, multiples of an element's size. C overlaps neither A nor B.
 * Sides are below 2^31 (ArithmeticException). Nothing is touched when m or n is 0, and C becomes zeros (or stays, accumulating) when k is 0. Nothing is checked
 * here: callers have checked shapes. Any number of threads may call; work is done in the stream's order.
 */
public interface Gemm {
    /** Starts the product. */
    void multiply(DType dtype, boolean transA, boolean transB, long m, long n, long k, long a, long lda, long b,
            long ldb, boolean accumulate, long c, long ldc);

    /** What computes, for people. */
    String description();
}
