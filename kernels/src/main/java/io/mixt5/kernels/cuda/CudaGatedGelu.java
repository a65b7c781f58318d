package io.mixt5.kernels.cuda;

import io.mixt5.engine.Dropout;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GatedGelu;

/** {@link GatedGelu} by gated_gelu.cu. */
public final class CudaGatedGelu extends CudaElementwise implements GatedGelu.Kernel {
    /** On {@code gpu}. */
    public CudaGatedGelu(CudaGpu gpu) {
        super(gpu, "gated_gelu");
    }

    @Override
    public void forward(Tensor gate, Tensor up, Dropout dropout, Tensor y) {
        run(dropout(launch("gated_gelu_forward", y.dtype()).tensor(gate).tensor(up).tensor(y).int64(y.count()),
                dropout), y);
    }

    @Override
    public void backward(Tensor gate, Tensor up, Dropout dropout, Tensor dy, Target dgate, Target dup) {
        Launch launch = launch("gated_gelu_backward", dy.dtype()).tensor(gate).tensor(up).tensor(dy);
        target(launch, dgate);
        target(launch, dup);
        run(dropout(launch.int64(dy.count()), dropout), dy);
    }

    private static void target(Launch launch, Target target) {
        launch.tensor(target == null ? null : target.tensor()).bool(target != null && target.accumulate());
    }
}
