package io.mixt5.kernels.cpu;

import io.mixt5.engine.Dropout;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Relu;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** {@link Relu} on the CPU. */
public final class CpuRelu extends F32Kernel implements Relu.Kernel {
    @Override
    public void forward(Tensor x, Dropout dropout, Tensor y) {
        Elementwise.forEach(x.count(), dropout, Elementwise.addresses(x), Elementwise.addresses(y),
                (in, out, n) -> forward(in[0], in[1], out[0], n));
    }

    @Override
    public void backward(Tensor x, Dropout dropout, Tensor dy, Target dx) {
        Elementwise.forEach(x.count(), dropout, Elementwise.addresses(x, dy), Elementwise.addresses(dx.tensor()),
                (in, out, n) -> backward(in[0], in[1], in[2], out[0], n, dx.accumulate()));
    }

    private static void forward(long x, long factors, long y, int n) {
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            FloatVector value = Floats.load(x + 4L * i);
            // Written so that NaN stays NaN.
            FloatVector positive = value.blend(0, value.compare(VectorOperators.LT, 0));
            Floats.store(y + 4L * i, Floats.times(positive, factors, i));
        }
    }

    private static void backward(long x, long dy, long factors, long dx, int n, boolean accumulate) {
        FloatVector zero = Floats.all(0);
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            FloatVector value = Floats.load(x + 4L * i);
            FloatVector slope = zero.blend(Floats.load(dy + 4L * i), value.compare(VectorOperators.GT, 0));
            Floats.put(dx + 4L * i, Floats.times(slope, factors, i), accumulate);
        }
    }
}
