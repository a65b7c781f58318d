package io.mixt5.engine.reference;

import io.mixt5.engine.DType;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Kernel;
import io.mixt5.engine.Tensor;

/** What all reference kernels share: they take every float type. */
abstract class ReferenceKernel implements Kernel {
    @Override
    public String unsupported(DType dtype) {
        return dtype.isFloat() ? null : "the op is defined for floats only";
    }

    /** Writes {@code value}, or adds it, as the target wants. Does nothing for a null target. */
    static void put(Target target, long index, double value) {
        if (target != null) {
            Tensor tensor = target.tensor();
            tensor.set(index, target.accumulate() ? tensor.get(index) + value : value);
        }
    }
}
