package io.mixt5.kernels.cuda;

import io.mixt5.engine.DType;
import io.mixt5.engine.Dropout;
import io.mixt5.engine.Kernel;
import io.mixt5.engine.op.Updates;

/** What the CUDA kernels of all ops share: a module, and entry points named after the element type. */
abstract class CudaKernel implements Kernel {
    /** The device that this kernel runs on. */
    protected final CudaGpu gpu;
    private final String module;

    /** @param module the name of the op's file in {@code src/main/cuda} */
    CudaKernel(CudaGpu gpu, String module) {
        this.gpu = gpu;
        this.module = module;
    }

    @Override
    public String unsupported(DType dtype) {
        return dtype == DType.F64 || dtype == DType.I32 ? "CUDA kernels take F32, F16 and BF16" : null;
    }

    /** The launch of kernel {@code name} for elements of {@code dtype}, without arguments yet. */
    protected Launch launch(String name, DType dtype) {
        return launch(name + "_" + suffix(dtype));
    }

    /** The launch of the kernel {@code name}, without arguments yet. */
    protected Launch launch(String name) {
        return gpu.launch(gpu.module(module).function(name));
    }

    /** As {@link #launch(String)}, with up to {@code shared} bytes of dynamic shared memory, which may exceed 48 KiB. */
    protected Launch launchShared(String name, int shared) {
        return gpu.launch(gpu.module(module).function(name, shared));
    }

    /** What entry points for {@code dtype} end in. */
    protected static String suffix(DType dtype) {
        return switch (dtype) {
            case F32 -> "f32";
            case F16 -> "f16";
            case BF16 -> "bf16";
            case F64 -> "f64";
            case I32 -> "i32";
        };
    }

    /** How many elements of {@code dtype} one access of 16 bytes moves, {@code Vector<T>::SIZE} of common.cuh. */
    protected static int vector(DType dtype) {
        return 16 / dtype.bytes();
    }

    /** How many blocks that take {@code each} elements {@code count} elements need. */
    protected static long blocks(long count, long each) {
        return Math.ceilDiv(count, each);
    }

    /** The four arguments that make an {@code Updates} of updates.cuh. */
    protected static Launch updates(Launch launch, Updates updates) {
        return launch.tensor(updates.counts()).tensor(updates.norm()).float32((float) updates.maxNorm())
                .float32((float) Math.min(Float.MAX_VALUE, updates.maxUsableNorm()));
    }

    /** The five arguments that make a {@code Dropout} of philox.cuh: seed, stream, step, threshold, scale. */
    protected static Launch dropout(Launch launch, Dropout dropout) {
        return launch.int64(dropout.seed()).int32(dropout.stream()).int32(dropout.step())
                .int32(dropout.active() ? dropout.threshold() : 0).float32(dropout.active() ? dropout.scale() : 1);
    }
}
