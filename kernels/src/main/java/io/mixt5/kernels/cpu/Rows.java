package io.mixt5.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** Loops over one row of floats, on the calling thread. */
final class Rows {
    private Rows() {
    }

    /** y = factor x, or y += factor x. */
    static void scale(long x, float factor, long y, int n, boolean accumulate) {
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            Floats.put(y + 4L * i, Floats.load(x + 4L * i).mul(factor), accumulate);
        }
        if (i < n) {
            VectorMask<Float> rest = Floats.first(n - i);
            Floats.put(y + 4L * i, Floats.load(x + 4L * i, rest).mul(factor), accumulate, rest);
        }
    }

    /** The sum of a b. */
    static float dot(long a, long b, int n) {
        FloatVector sum0 = Floats.all(0);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        int i = 0;
        for (; i <= n - 4 * Lanes.FLOATS; i += 4 * Lanes.FLOATS) {
            long first = 4L * i;
            long second = first + 4L * Lanes.FLOATS;
            long third = second + 4L * Lanes.FLOATS;
            long fourth = third + 4L * Lanes.FLOATS;
            sum0 = Floats.load(a + first).fma(Floats.load(b + first), sum0);
            sum1 = Floats.load(a + second).fma(Floats.load(b + second), sum1);
            sum2 = Floats.load(a + third).fma(Floats.load(b + third), sum2);
            sum3 = Floats.load(a + fourth).fma(Floats.load(b + fourth), sum3);
        }
        for (; i < n; i += Lanes.FLOATS) {
            VectorMask<Float> rest = Floats.first(n - i);
            sum0 = Floats.load(a + 4L * i, rest).fma(Floats.load(b + 4L * i, rest), sum0);
        }
        return VectorMath.sum(sum0.add(sum1).add(sum2.add(sum3)));
    }
}
