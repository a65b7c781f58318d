package io.mixt5.model;

import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.UserException;
import io.mixt5.engine.op.Linear;
import java.util.Locale;

/**
 * What a pass computes in. In the half types this is mixed precision (Micikevicius et al., 2018), kept away from the
 * router as Switch does ("selective precision", Fedus et al., 2022, section 2.4): activations and the inputs of matrix
 * products are halves; weights are kept, and routers, softmax, norms' statistics and the loss computed, in F32.
 */
public enum Precision {
    /** F32 throughout. */
    FP32(DType.F32),
    /** BF16, with the range of F32. */
    BF16(DType.BF16),
    /** F16, whose range is so small that training has to scale the loss. */
    FP16(DType.F16);

    private final DType dtype;

    Precision(DType dtype) {
        this.dtype = dtype;
    }

    /** The type of activations. */
    public DType dtype() {
        return dtype;
    }

    /** Whether gradients may leave the type's range, so that the loss is to be scaled. */
    public boolean needsLossScale() {
        return this == FP16;
    }

    /** Throws a {@link UserException} that says what is missing where {@code device} cannot compute in this. */
    public void requireOn(Device device) {
        if (device.backend().kernel(Linear.Kernel.class).unsupported(dtype) != null) {
            throw new UserException("precision " + this + " needs a device that takes " + dtype + ", and device '"
                    + device.name() + "' does not; use precision fp32, or another device");
        }
    }

    /** The name in configurations. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
