package io.mixt5.kernels.cpu;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Scale;

/** {@link Scale} on the CPU. */
public final class CpuScale extends F32Kernel implements Scale.Kernel {
    @Override
    public void scale(Tensor x, float factor, Target y) {
        Elementwise.forEach(x.count(), Elementwise.addresses(x), Elementwise.addresses(y.tensor()),
                (in, out, n) -> scale(in[0], factor, out[0], n, y.accumulate()));
    }

    private static void scale(long x, float factor, long y, int n, boolean accumulate) {
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            Floats.put(y + 4L * i, Floats.load(x + 4L * i).mul(factor), accumulate);
        }
    }
}
