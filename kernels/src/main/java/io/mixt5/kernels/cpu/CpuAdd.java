package io.mixt5.kernels.cpu;

import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Add;

/** {@link Add} on the CPU. */
public final class CpuAdd extends F32Kernel implements Add.Kernel {
    @Override
    public void forward(Tensor a, Tensor b, Tensor y) {
        Elementwise.forEach(y.count(), Elementwise.addresses(a, b), Elementwise.addresses(y),
                (in, out, n) -> add(in[0], in[1], out[0], n));
    }

    @Override
    public void accumulate(Tensor x, Tensor into) {
        forward(x, into, into);
    }

    private static void add(long a, long b, long y, int n) {
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            Floats.store(y + 4L * i, Floats.load(a + 4L * i).add(Floats.load(b + 4L * i)));
        }
    }
}
