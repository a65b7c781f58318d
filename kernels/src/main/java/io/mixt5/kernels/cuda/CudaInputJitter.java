package io.mixt5.kernels.cuda;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Jitter;
import io.mixt5.engine.RandomStream;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.InputJitter;

/** {@link InputJitter} by input_jitter.cu. */
public final class CudaInputJitter extends CudaElementwise implements InputJitter.Kernel {
    /** On {@code gpu}. */
    public CudaInputJitter(CudaGpu gpu) {
        super(gpu, "input_jitter");
    }

    @Override
    public void multiply(Tensor x, Jitter jitter, Target y) {
        RandomStream stream = jitter.stream();
        run(launch("input_jitter", x.dtype()).tensor(x).tensor(y.tensor()).int64(x.count()).bool(y.accumulate())
                .float32(1 - jitter.eps()).float32(2 * jitter.eps()).int64(stream.seed()).int32(stream.id())
                .int32(stream.step()), x);
    }
}
