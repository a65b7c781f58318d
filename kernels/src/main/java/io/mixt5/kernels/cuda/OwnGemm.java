package io.mixt5.kernels.cuda;

import io.mixt5.engine.DType;

/**
 * Products by our own kernels: on tensor cores (gemm_half.cu) where they take the type, otherwise by multiply-adds in
 * F32 (gemm_simt.cu). Results depend on the operands alone, not on the device's load.
 *
 * <p>A block computes a square tile of C: a large one, which reads each element of A and B less often, where there are
 * enough of them for all multiprocessors.
 */
public final class OwnGemm implements Gemm {
    private static final int SMALL = 64;
    private static final int LARGE = 128;
    private static final int SMALL_THREADS = 128;
    private static final int LARGE_THREADS = 256;
    /** Compute capability from which tensor cores take BF16. */
    private static final int BF16_CORES = 80;
    // enum Grouping of gemm.cuh.
    private static final int SINGLE = 0;
    private static final int GROUPED_ROWS = 1;
    private static final int GROUPED_DEPTH = 2;

    private final CudaGpu gpu;

    /** On {@code gpu}. */
    public OwnGemm(CudaGpu gpu) {
        this.gpu = gpu;
    }

    @Override
    public void multiply(DType dtype, boolean transA, boolean transB, long m, long n, long k, long a, long lda, long b,
            long ldb, boolean accumulate, long c, long ldc) {
        int tile = tile(tiles(m, LARGE) * tiles(n, LARGE));
        sizes(launch(dtype, tile).address(a).int64(lda).address(b).int64(ldb).address(c).int64(ldc), m, n, k)
                .bool(transA).bool(transB).bool(accumulate).int32(SINGLE).address(0).int32(0).address(0)
                .run(tiles(m, tile) * tiles(n, tile), threads(tile));
    }

    /**
     * C_e = A_e op(B_e), or C_e += A_e op(B_e), for E experts, of which each has rows offsets[e] to offsets[e + 1] of A
     * [m, k] and C [m, n], both without gaps between rows. Rows of C from offsets[E] become zeros, or stay when
     * accumulating.
     *
     * @param weights device address of the E addresses of B_e, [k, n] or, when {@code transB}, [n, k]
     * @param offsets device address of E + 1 ints
     */
    void multiplyRows(DType dtype, boolean transB, long m, long n, long k, long a, int experts, long offsets,
            long weights, boolean accumulate, long c) {
        if (m == 0) {
            return;
        }
        int tile = tile(tiles(m, LARGE) * tiles(n, LARGE));
        // Each expert, and the rows of none, may end with a tile that is not full.
        long most = m / tile + experts + 1;
        sizes(launch(dtype, tile).address(a).int64(k).address(0).int64(transB ? k : n).address(c).int64(n), m, n, k)
                .bool(false).bool(transB).bool(accumulate).int32(GROUPED_ROWS).address(offsets).int32(experts)
                .address(weights).run(most * tiles(n, tile), threads(tile));
    }

    /**
     * C_e [m, n] = A_e^T B_e, or C_e += A_e^T B_e, for E experts, of which each has rows offsets[e] to offsets[e + 1] of
     * A [R, m] and B [R, n]. None has gaps between rows.
     *
     * @param offsets device address of E + 1 ints
     * @param targets device address of the E addresses of C_e, 0 where it is not wanted, and then of E numbers, not 0
     * where C_e is added to
     */
    void multiplyDepths(DType dtype, long m, long n, long a, long b, int experts, long offsets, long targets) {
        int tile = tile(tiles(m, LARGE) * tiles(n, LARGE) * experts);
        sizes(launch(dtype, tile).address(a).int64(m).address(b).int64(n).address(0).int64(n), m, n, 0)
                .bool(true).bool(false).bool(false).int32(GROUPED_DEPTH).address(offsets).int32(experts)
                .address(targets).run(tiles(m, tile) * tiles(n, tile), 1, experts, threads(tile), 0);
    }

    private Launch launch(DType dtype, int tile) {
        boolean cores = dtype == DType.F16 || dtype == DType.BF16 && gpu.capability() >= BF16_CORES;
        return gpu.launch(gpu.module(cores ? "gemm_half" : "gemm_simt")
                .function("gemm_" + tile + "_" + CudaKernel.suffix(dtype)));
    }

    private static Launch sizes(Launch launch, long m, long n, long k) {
        return launch.int32(Math.toIntExact(m)).int32(Math.toIntExact(n)).int32(Math.toIntExact(k));
    }

    /** The side of a tile, when there would be {@code large} large ones. */
    private int tile(long large) {
        return large >= gpu.multiprocessors() ? LARGE : SMALL;
    }

    private static int threads(int tile) {
        return tile == LARGE ? LARGE_THREADS : SMALL_THREADS;
    }

    private static long tiles(long side, int tile) {
        return Math.ceilDiv(side, tile);
    }

    @Override
    public String description() {
        return "own kernels";
    }
}
