package io.mixt5.kernels.cpu;

import io.mixt5.engine.Dropout;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GatedGelu;
import jdk.incubator.vector.FloatVector;

/**
 * {@link GatedGelu} on the CPU. Since (1 + tanh(u)) / 2 = s(2u), the logistic function, gelu_new(x) = x s(2u) with u =
 * sqrt(2 / pi) (x + 0.044715 x^3): one exponential and one division.
 *
 * <p>The logistic function has a loop of its own: all in one is more than the JIT compiler is willing to inline.
 */
public final class CpuGatedGelu extends F32Kernel implements GatedGelu.Kernel {
    private static final float LINEAR = (float) (2 * GatedGelu.SQRT_2_OVER_PI);
    private static final float CUBIC = (float) (2 * GatedGelu.SQRT_2_OVER_PI * GatedGelu.CUBIC);
    private static final int LOGISTIC = Scratch.newSlot();

    @Override
    public void forward(Tensor gate, Tensor up, Dropout dropout, Tensor y) {
        Elementwise.forEach(y.count(), dropout, Elementwise.addresses(gate, up), Elementwise.addresses(y),
                (in, out, n) -> forward(in[0], in[1], in[2], out[0], n));
    }

    @Override
    public void backward(Tensor gate, Tensor up, Dropout dropout, Tensor dy, Target dgate, Target dup) {
        Tensor gateTensor = dgate == null ? null : dgate.tensor();
        Tensor upTensor = dup == null ? null : dup.tensor();
        boolean addGate = dgate != null && dgate.accumulate();
        boolean addUp = dup != null && dup.accumulate();
        Elementwise.forEach(dy.count(), dropout, Elementwise.addresses(gate, up, dy),
                Elementwise.addresses(gateTensor, upTensor),
                (in, out, n) -> backward(in[0], in[1], in[2], in[3], out[0], addGate, out[1], addUp, n));
    }

    private static void forward(long gate, long up, long factors, long y, int n) {
        long logistic = logistic(gate, n);
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            FloatVector gelu = Floats.load(gate + 4L * i).mul(Floats.load(logistic + 4L * i));
            Floats.store(y + 4L * i, Floats.times(gelu.mul(Floats.load(up + 4L * i)), factors, i));
        }
    }

    private static void backward(long gate, long up, long dy, long factors, long dgate, boolean addGate, long dup,
            boolean addUp, int n) {
        long logistic = logistic(gate, n);
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            FloatVector x = Floats.load(gate + 4L * i);
            FloatVector s = Floats.load(logistic + 4L * i);
            FloatVector d = Floats.times(Floats.load(dy + 4L * i), factors, i);
            if (dgate != 0) {
                Floats.put(dgate + 4L * i, slope(x, s).mul(d).mul(Floats.load(up + 4L * i)), addGate);
            }
            if (dup != 0) {
                Floats.put(dup + 4L * i, x.mul(s).mul(d), addUp);
            }
        }
    }

    /** Writes s(2u) for n elements to this thread's scratch memory and returns the address. */
    private static long logistic(long gate, int n) {
        long logistic = Scratch.get(LOGISTIC, 4L * n);
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            FloatVector x = Floats.load(gate + 4L * i);
            FloatVector minus2u = x.mul(x).fma(Floats.all(-CUBIC), Floats.all(-LINEAR)).mul(x);
            Floats.store(logistic + 4L * i, Floats.all(1).div(VectorMath.exp(minus2u).add(1)));
        }
        return logistic;
    }

    /** The derivative of gelu_new, s + x s (1 - s) (2u)', from s = s(2u). */
    private static FloatVector slope(FloatVector x, FloatVector s) {
        FloatVector inner = x.mul(x).fma(Floats.all(3 * CUBIC), Floats.all(LINEAR));
        return x.mul(inner).mul(Floats.all(1).sub(s)).fma(s, s);
    }
}
