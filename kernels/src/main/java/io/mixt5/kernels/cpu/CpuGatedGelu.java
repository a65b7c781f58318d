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
    private static final FloatVector ONE = Floats.all(1);
    private static final FloatVector LINEAR = Floats.all((float) (2 * GatedGelu.SQRT_2_OVER_PI));
    private static final FloatVector CUBIC = Floats.all((float) (2 * GatedGelu.SQRT_2_OVER_PI * GatedGelu.CUBIC));
    private static final FloatVector MINUS_LINEAR = LINEAR.neg();
    private static final FloatVector MINUS_CUBIC = CUBIC.neg();
    private static final FloatVector CUBIC_SLOPE = CUBIC.mul(3);
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
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            FloatVector x = Floats.load(gate + 4L * i);
            FloatVector gelu = x.mul(logistic(x));
            Floats.store(y + 4L * i, Floats.times(gelu.mul(Floats.load(up + 4L * i)), factors, i));
        }
    }

    private static void backward(long gate, long up, long dy, long factors, long dgate, boolean addGate, long dup,
            boolean addUp, int n) {
        long logistic = logistics(gate, n);
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
    private static long logistics(long gate, int n) {
        long logistic = Scratch.get(LOGISTIC, 4L * n);
        int step = Lanes.FLOATS * Lanes.one;
        for (int i = 0; i < n; i += step) {
            Floats.store(logistic + 4L * i, logistic(Floats.load(gate + 4L * i)));
        }
        return logistic;
    }

    /** s(2u). */
    private static FloatVector logistic(FloatVector x) {
        FloatVector minus2u = x.mul(x).fma(MINUS_CUBIC, MINUS_LINEAR).mul(x);
        return ONE.div(VectorMath.exp(minus2u).add(ONE));
    }

    /** The derivative of gelu_new, s + x s (1 - s) (2u)', from s = s(2u). */
    private static FloatVector slope(FloatVector x, FloatVector s) {
        FloatVector inner = x.mul(x).fma(CUBIC_SLOPE, LINEAR);
        return x.mul(inner).mul(ONE.sub(s)).fma(s, s);
    }
}
