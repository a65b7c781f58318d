package io.mixt5.kernels.cuda;

import io.mixt5.engine.DType;

/** What the kernels of rows.cuh share: a block, or a warp of it, takes a row. */
abstract class CudaRows extends CudaKernel {
    /** Threads of a warp. */
    protected static final int WARP = 32;

    CudaRows(CudaGpu gpu, String module) {
        super(gpu, module);
    }

    /** Elements to an access for rows of {@code columns} elements: 16 bytes if all rows are aligned to that, or one. */
    protected static int width(long columns, DType dtype) {
        return columns % vector(dtype) == 0 ? vector(dtype) : 1;
    }

    /** Whole warps for a block that takes a row by one access to a thread, or by more when it has {@code most}. */
    protected static int threads(long columns, DType dtype, int most) {
        long warps = Math.ceilDiv(columns, (long) WARP * width(columns, dtype));
        return WARP * Math.clamp(warps, 1, most / WARP);
    }
}
