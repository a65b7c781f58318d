package io.mixt5.kernels.cuda;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Scale;

/** {@link Scale} by scale.cu. */
public final class CudaScale extends CudaElementwise implements Scale.Kernel {
    /** On {@code gpu}. */
    public CudaScale(CudaGpu gpu) {
        super(gpu, "scale");
    }

    @Override
    public void scale(Tensor x, float factor, Target y) {
        run(launch("scale", x.dtype()).tensor(x).float32(factor).tensor(y.tensor()).int64(x.count())
                .bool(y.accumulate()), x);
    }
}
