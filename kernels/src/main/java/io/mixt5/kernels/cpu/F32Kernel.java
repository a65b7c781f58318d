package io.mixt5.kernels.cpu;

import io.mixt5.engine.DType;
import io.mixt5.engine.Kernel;

/** What the CPU's kernels share: all but the cast compute in single precision. */
abstract class F32Kernel implements Kernel {
    @Override
    public String unsupported(DType dtype) {
        return dtype == DType.F32 ? null : "the CPU computes in F32; cast first";
    }
}
