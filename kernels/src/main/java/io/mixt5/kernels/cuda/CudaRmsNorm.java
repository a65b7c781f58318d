package io.mixt5.kernels.cuda;

import io.mixt5.engine.DType;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.RmsNorm;

/** {@link RmsNorm} by rms_norm.cu. */
public final class CudaRmsNorm extends CudaRows implements RmsNorm.Kernel {
    private static final int MOST_WARPS = 8;
    /** Shared memory that a block may have on every device. */
    private static final int SHARED = 48 << 10;
    /** Shared memory that a block may ask for on every device since Turing. */
    private static final int MORE_SHARED = 64 << 10;
    /** Rows of a block: so many that reading the weight does not show. */
    private static final int FORWARD_ROWS = 16;
    /** Rows of a block: so many that writing its sums for the weight does not show. */
    private static final int BACKWARD_ROWS = 64;
    /** Warps of a block that adds up the blocks' sums, as in rms_norm.cu. */
    private static final int SLICES = 8;

    /** On {@code gpu}. */
    public CudaRmsNorm(CudaGpu gpu) {
        super(gpu, "rms_norm");
    }

    /**
     * What a block of a kernel has.
     *
     * @param warps its warps
     * @param shared bytes of its shared memory
     * @param kept whether each warp keeps its row there
     */
    private record Block(int warps, int shared, boolean kept) {
        /** As many warps as fit, each of which wants {@code perWarp} bytes beside {@code once} for all of them. */
        static Block of(long once, long perWarp, int limit) {
            int warps = Math.clamp((limit - once) / Math.max(1, perWarp), 0, MOST_WARPS);
            return new Block(warps, (int) (once + warps * perWarp), warps > 0);
        }
    }

    @Override
    public void forward(Tensor x, Tensor weight, float eps, Tensor y, Tensor inverse) {
        Block fitting = Block.of(weight.bytes(), weight.bytes(), SHARED);
        Block block = fitting.kept() ? fitting : new Block(MOST_WARPS, 0, false);
        launch("rms_norm_forward", x.dtype()).tensor(x).tensor(weight).float32(eps).tensor(y).tensor(inverse)
                .int64(inverse.count()).int64(weight.count()).int32(FORWARD_ROWS).bool(block.kept())
                .run(blocks(inverse.count(), FORWARD_ROWS), 1, 1, WARP * block.warps(), block.shared());
    }

    @Override
    public void backward(Tensor x, Tensor weight, Tensor inverse, Tensor dy, Target dx, Target dweight) {
        long blocks = blocks(inverse.count(), BACKWARD_ROWS);
        if (dweight == null) {
            rows(x, weight, inverse, dy, dx, null, 0, blocks);
            return;
        }
        DType dtype = x.dtype();
        long columns = weight.count();
        int width = width(columns, dtype);
        long step = (long) WARP * width;
        long sums = Math.ceilDiv(columns, step) * step;
        try (Scope scope = new Scope(x.device())) {
            Tensor partial = scope.allocate(DType.F32, Shape.of(blocks, sums), "rms_norm.partial");
            rows(x, weight, inverse, dy, dx, partial, sums, blocks);
            launch("rms_norm_weight", dtype).tensor(partial).int64(blocks).int64(sums).int32(width)
                    .tensor(dweight.tensor()).int64(columns).bool(dweight.accumulate())
                    .run(sums / WARP, WARP * SLICES);
        }
    }

    /** The gradient of x unless dx is null, and the blocks' sums for the weight's unless partial is null. */
    private void rows(Tensor x, Tensor weight, Tensor inverse, Tensor dy, Target dx, Tensor partial, long sums,
            long blocks) {
        Block fitting = Block.of(weight.bytes(), Float.BYTES * sums + 2 * weight.bytes(), MORE_SHARED);
        Block block = fitting.kept() ? fitting : new Block(1, 0, false);
        launchShared("rms_norm_backward_" + suffix(x.dtype()), block.shared()).tensor(x).tensor(weight).tensor(inverse)
                .tensor(dy).tensor(dx == null ? null : dx.tensor()).bool(dx != null && dx.accumulate())
                .tensor(partial).int64(sums).int64(inverse.count()).int64(weight.count()).int32(BACKWARD_ROWS)
                .bool(block.kept()).run(blocks, 1, 1, WARP * block.warps(), block.shared());
    }
}
