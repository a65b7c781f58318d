package io.mixt5.kernels.cpu;

import static io.mixt5.kernels.cpu.Lanes.ADDRESS;

import io.mixt5.engine.Memory;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Attention's loops over single rows.
 *
 * <p>Scores, weights, biases and factors are in working memory, with room for a whole vector past the end of a row.
 * Loops over them go on to the end of the last vector; what they leave past the end of the row means nothing, unless
 * said. Rows of tensors are never touched past their end.
 */
final class AttentionRows {
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private AttentionRows() {
    }

    /** Address of element {@code i}. */
    private static long at(long row, int i) {
        return (row & ADDRESS) + (long) Float.BYTES * i;
    }

    private static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(Lanes.F, Memory.ALL, address, ORDER);
    }

    private static FloatVector load(long address, VectorMask<Float> mask) {
        return FloatVector.fromMemorySegment(Lanes.F, Memory.ALL, address, ORDER, mask);
    }

    private static void store(FloatVector vector, long address) {
        vector.intoMemorySegment(Memory.ALL, address, ORDER);
    }

    /** Sets the elements from {@code from} up to but without {@code to}, and less than a vector more. */
    static void fill(long row, int from, int to, float value) {
        FloatVector values = FloatVector.broadcast(Lanes.F, value);
        for (int i = from; i < to; i += Lanes.FLOATS) {
            store(values, at(row, i));
        }
    }

    /**
     * scores += bias over n >= 1 elements; returns the largest of the sums, NaN being passed over. The rest of the last
     * vector becomes minus infinity.
     */
    static float addBias(long scores, long bias, int n) {
        fill(scores, n, n + 1, Float.NEGATIVE_INFINITY);
        FloatVector largest = FloatVector.broadcast(Lanes.F, Float.NEGATIVE_INFINITY);
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            FloatVector sum = load(at(scores, i)).add(load(at(bias, i)));
            store(sum, at(scores, i));
            largest = largest.blend(sum, sum.compare(VectorOperators.GT, largest));
        }
        return largest.reduceLanes(VectorOperators.MAX);
    }

    /** After {@link #addBias}: scores = exp(scores - largest) over n elements; returns their sum. */
    static float exponentials(long scores, int n, float largest) {
        FloatVector sum = FloatVector.zero(Lanes.F);
        FloatVector shift = FloatVector.broadcast(Lanes.F, largest);
        int step = Lanes.FLOATS * Lanes.one;
        for (int i = 0; i < n; i += step) {
            FloatVector exponential = VectorMath.expWithoutOverflow(load(at(scores, i)).sub(shift));
            sum = sum.add(exponential);
            store(exponential, at(scores, i));
        }
        return VectorMath.sum(sum);
    }

    /** weights *= factors * factor over n elements. */
    static void scale(long weights, long factors, int n, float factor) {
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            store(load(at(weights, i)).mul(load(at(factors, i)).mul(factor)), at(weights, i));
        }
    }

    /**
     * Softmax and its gradient over n elements, from a row's log-sum-exp: with p = exp(scores + bias - lse), scores
     * becomes p * factors, the weights after dropout, and dweights, the gradient of those, becomes p * (factors *
     * dweights - mean), the gradient of the scores.
     *
     * @param mean the sum of p * factors * dweights
     */
    static void differentiate(long scores, long dweights, long bias, long factors, int n, float lse, float mean) {
        FloatVector shift = FloatVector.broadcast(Lanes.F, lse);
        FloatVector means = FloatVector.broadcast(Lanes.F, mean);
        int step = Lanes.FLOATS * Lanes.one;
        for (int i = 0; i < n; i += step) {
            FloatVector p = VectorMath.expWithoutOverflow(load(at(scores, i)).add(load(at(bias, i))).sub(shift));
            FloatVector factor = load(at(factors, i));
            store(p.mul(factor), at(scores, i));
            store(factor.mul(load(at(dweights, i))).sub(means).mul(p), at(dweights, i));
        }
    }

    /** to += from over n elements; also adds what is past from's end. */
    static void add(long from, long to, int n) {
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            store(load(at(to, i)).add(load(at(from, i))), at(to, i));
        }
    }

    /** The sum of a * b over n elements of tensors. */
    static float dot(long a, long b, int n) {
        FloatVector sum = FloatVector.zero(Lanes.F);
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            sum = load(at(a, i)).fma(load(at(b, i)), sum);
        }
        if (i < n) {
            VectorMask<Float> rest = Lanes.F.indexInRange(i, n);
            sum = load(at(a, i), rest).fma(load(at(b, i), rest), sum);
        }
        return VectorMath.sum(sum);
    }

    /** out = sum_j weights[j] v[j], for {@code keys} rows of v, {@code size} elements each and {@code width} apart. */
    static void mix(long weights, long v, int size, int width, int keys, long out) {
        int i = 0;
        for (; i <= size - 4 * Lanes.FLOATS; i += 4 * Lanes.FLOATS) {
            mixFour(weights, at(v, i), width, keys, at(out, i));
        }
        for (; i < size; i += Lanes.FLOATS) {
            VectorMask<Float> inside = Lanes.F.indexInRange(i, size);
            FloatVector sum = FloatVector.zero(Lanes.F);
            for (int j = 0; j < keys; j++) {
                FloatVector weight = FloatVector.broadcast(Lanes.F, Memory.getFloat(at(weights, j)));
                sum = weight.fma(load(at(v, i) + (long) Float.BYTES * width * j, inside), sum);
            }
            sum.intoMemorySegment(Memory.ALL, at(out, i), ORDER, inside);
        }
    }

    /** {@link #mix} for four vectors of elements, whose sums do not wait for each other. */
    private static void mixFour(long weights, long v, int width, int keys, long out) {
        FloatVector sum0 = FloatVector.zero(Lanes.F);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        for (int j = 0; j < keys; j++) {
            FloatVector weight = FloatVector.broadcast(Lanes.F, Memory.getFloat(at(weights, j)));
            long row = v + (long) Float.BYTES * width * j;
            sum0 = weight.fma(load(at(row, 0)), sum0);
            sum1 = weight.fma(load(at(row, Lanes.FLOATS)), sum1);
            sum2 = weight.fma(load(at(row, 2 * Lanes.FLOATS)), sum2);
            sum3 = weight.fma(load(at(row, 3 * Lanes.FLOATS)), sum3);
        }
        store(sum0, at(out, 0));
        store(sum1, at(out, Lanes.FLOATS));
        store(sum2, at(out, 2 * Lanes.FLOATS));
        store(sum3, at(out, 3 * Lanes.FLOATS));
    }
}
