package io.mixt5.kernels.cpu;

import io.mixt5.engine.Dropout;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.DropoutAdd;
import jdk.incubator.vector.FloatVector;

/** {@link DropoutAdd} on the CPU. */
public final class CpuDropoutAdd extends F32Kernel implements DropoutAdd.Kernel {
    @Override
    public void forward(Tensor residual, Tensor x, Dropout dropout, Tensor y) {
        Elementwise.forEach(x.count(), dropout, Elementwise.addresses(residual, x), Elementwise.addresses(y),
                (in, out, n) -> forward(in[0], in[1], in[2], out[0], n));
    }

    @Override
    public void backward(Tensor dy, Dropout dropout, Target dx) {
        Elementwise.forEach(dy.count(), dropout, Elementwise.addresses(dy), Elementwise.addresses(dx.tensor()),
                (in, out, n) -> backward(in[0], in[1], out[0], n, dx.accumulate()));
    }

    private static void forward(long residual, long x, long factors, long y, int n) {
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            FloatVector value = Floats.times(Floats.load(x + 4L * i), factors, i);
            Floats.store(y + 4L * i, residual == 0 ? value : value.add(Floats.load(residual + 4L * i)));
        }
    }

    private static void backward(long dy, long factors, long dx, int n, boolean accumulate) {
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            Floats.put(dx + 4L * i, Floats.times(Floats.load(dy + 4L * i), factors, i), accumulate);
        }
    }
}
