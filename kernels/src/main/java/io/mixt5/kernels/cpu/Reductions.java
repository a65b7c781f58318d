package io.mixt5.kernels.cpu;

import static io.mixt5.kernels.cpu.Lanes.ADDRESS;

import io.mixt5.engine.Memory;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * One number from a stretch of floats, on the calling thread. Sums are in single precision over short runs, and over
 * these in double.
 */
final class Reductions {
    /** Elements that are added in single precision: each lane sums few of them. */
    private static final int RUN = 2048;
    private static final int REST = Scratch.newSlot();
    private static final int OTHER_REST = Scratch.newSlot();

    private Reductions() {
    }

    /** The largest of n floats, NaNs aside; minus infinity when there is none. */
    static float max(long address, int n) {
        int whole = n - n % Lanes.FLOATS;
        float max = maxOfWhole(address, whole);
        if (whole < n) {
            long rest = padded(REST, address + 4L * whole, n - whole, Float.NEGATIVE_INFINITY);
            max = Math.max(max, maxOfWhole(rest, Lanes.FLOATS));
        }
        return max;
    }

    private static float maxOfWhole(long address, int n) {
        FloatVector max0 = Floats.all(Float.NEGATIVE_INFINITY);
        FloatVector max1 = max0;
        FloatVector max2 = max0;
        FloatVector max3 = max0;
        int i = 0;
        for (; i <= n - 4 * Lanes.FLOATS; i += 4 * Lanes.FLOATS) {
            max0 = larger(max0, Floats.load(address + 4L * i));
            max1 = larger(max1, Floats.load(address + 4L * (i + Lanes.FLOATS)));
            max2 = larger(max2, Floats.load(address + 4L * (i + 2 * Lanes.FLOATS)));
            max3 = larger(max3, Floats.load(address + 4L * (i + 3 * Lanes.FLOATS)));
        }
        for (; i < n; i += Lanes.FLOATS) {
            max0 = larger(max0, Floats.load(address + 4L * i));
        }
        return larger(larger(max0, max1), larger(max2, max3)).reduceLanes(VectorOperators.MAX);
    }

    /** The larger ones; of a NaN in {@code x} nothing is left. */
    private static FloatVector larger(FloatVector max, FloatVector x) {
        return max.blend(x, x.compare(VectorOperators.GT, max));
    }

    /** The sum of the squares of n floats. */
    static double sumOfSquares(long address, long n) {
        double sum = 0;
        long whole = n - n % Lanes.FLOATS;
        for (long i = 0; i < whole; i += RUN) {
            sum += runOfSquares(address + 4 * i, (int) Math.min(RUN, whole - i));
        }
        return whole == n
                ? sum
                : sum + runOfSquares(padded(REST, address + 4 * whole, (int) (n - whole), 0), Lanes.FLOATS);
    }

    private static float runOfSquares(long address, int n) {
        // Four sums that do not wait for each other.
        FloatVector sum0 = Floats.all(0);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        int i = 0;
        for (; i <= n - 4 * Lanes.FLOATS; i += 4 * Lanes.FLOATS) {
            FloatVector x0 = Floats.load(address + 4L * i);
            FloatVector x1 = Floats.load(address + 4L * (i + Lanes.FLOATS));
            FloatVector x2 = Floats.load(address + 4L * (i + 2 * Lanes.FLOATS));
            FloatVector x3 = Floats.load(address + 4L * (i + 3 * Lanes.FLOATS));
            sum0 = x0.fma(x0, sum0);
            sum1 = x1.fma(x1, sum1);
            sum2 = x2.fma(x2, sum2);
            sum3 = x3.fma(x3, sum3);
        }
        for (; i < n; i += Lanes.FLOATS) {
            FloatVector x = Floats.load(address + 4L * i);
            sum0 = x.fma(x, sum0);
        }
        return VectorMath.sum(sum0.add(sum1).add(sum2.add(sum3)));
    }

    /** The sum of (a b)^2 over n pairs of floats. */
    static double sumOfSquaredProducts(long a, long b, int n) {
        double sum = 0;
        int whole = n - n % Lanes.FLOATS;
        for (int i = 0; i < whole; i += RUN) {
            sum += runOfSquaredProducts(a + 4L * i, b + 4L * i, Math.min(RUN, whole - i));
        }
        if (whole < n) {
            long restOfA = padded(REST, a + 4L * whole, n - whole, 0);
            sum += runOfSquaredProducts(restOfA, padded(OTHER_REST, b + 4L * whole, n - whole, 0), Lanes.FLOATS);
        }
        return sum;
    }

    private static float runOfSquaredProducts(long a, long b, int n) {
        FloatVector sum0 = Floats.all(0);
        FloatVector sum1 = sum0;
        int i = 0;
        for (; i <= n - 2 * Lanes.FLOATS; i += 2 * Lanes.FLOATS) {
            long next = 4L * (i + Lanes.FLOATS);
            FloatVector product0 = Floats.load(a + 4L * i).mul(Floats.load(b + 4L * i));
            FloatVector product1 = Floats.load(a + next).mul(Floats.load(b + next));
            sum0 = product0.fma(product0, sum0);
            sum1 = product1.fma(product1, sum1);
        }
        if (i < n) {
            FloatVector product = Floats.load(a + 4L * i).mul(Floats.load(b + 4L * i));
            sum0 = product.fma(product, sum0);
        }
        return VectorMath.sum(sum0.add(sum1));
    }

    /** log(sum(exp(x))) over n floats, read once; NaN when there is a NaN. */
    static double logSumExp(long address, int n) {
        double sum = 0;
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < n; i += RUN) {
            long run = address + 4L * i;
            int length = Math.min(RUN, n - i);
            float larger = Math.max(max, max(run, length));
            if (larger > max) {
                sum *= Math.exp(max - larger);
                max = larger;
            }
            sum += sumOfExp(run, length, max == Float.NEGATIVE_INFINITY ? 0 : max);
        }
        return max + Math.log(sum);
    }

    /** sum(exp(x - max)) over n floats. */
    private static float sumOfExp(long address, int n, float max) {
        int whole = n - n % Lanes.FLOATS;
        float sum = sumOfExpOfWhole(address, whole, max);
        return whole == n
                ? sum
                : sum + sumOfExpOfWhole(padded(REST, address + 4L * whole, n - whole, Float.NEGATIVE_INFINITY),
                        Lanes.FLOATS,
                        max);
    }

    private static float sumOfExpOfWhole(long address, int n, float max) {
        FloatVector sum = Floats.all(0);
        FloatVector shift = Floats.all(max);
        int step = Lanes.FLOATS * Lanes.one;
        for (int i = 0; i < n; i += step) {
            sum = sum.add(VectorMath.expWithoutOverflow(Floats.load(address + 4L * i & ADDRESS).sub(shift)));
        }
        return VectorMath.sum(sum);
    }

    /** A vector in this thread's scratch memory: n floats, fewer than a vector's, and behind them {@code filler}. */
    private static long padded(int slot, long address, int n, float filler) {
        long rest = Scratch.get(slot, 4L * Lanes.FLOATS);
        Floats.store(rest, Floats.all(filler));
        Memory.copy(address, rest, 4L * n);
        return rest;
    }
}
