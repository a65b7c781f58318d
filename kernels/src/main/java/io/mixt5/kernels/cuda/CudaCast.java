package io.mixt5.kernels.cuda;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Cast;

/** {@link Cast} by cast.cu, which has an entry for each pair of types. */
public final class CudaCast extends CudaElementwise implements Cast.Kernel {
    /** Elements of a thread, whatever the types. */
    private static final int EACH = 4;

    /** On {@code gpu}. */
    public CudaCast(CudaGpu gpu) {
        super(gpu, "cast");
    }

    @Override
    public void cast(Tensor x, Target y) {
        run(launch("cast_" + suffix(x.dtype()), y.tensor().dtype()).tensor(x).tensor(y.tensor()).int64(x.count())
                .bool(y.accumulate()), x.count(), EACH);
    }
}
