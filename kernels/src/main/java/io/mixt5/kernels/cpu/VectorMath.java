package io.mixt5.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/**
 * Functions on vectors of {@link Lanes#F}, made of few instructions each, so that they inline into the loops that call
 * them. Equal arguments give equal bits, and the result of a lane does not depend on the vector's width.
 */
final class VectorMath {
    // Constants are vectors already: to make them so where they are used costs the JIT compiler much of the number of
    // nodes at which it stops inlining.

    /** Below this exp is less than the smallest normal float, and taken to be 0. */
    private static final FloatVector EXP_LOWEST = all(-0x1.5d589ep6f);
    /** Above this exp is more than the largest float. */
    private static final FloatVector EXP_HIGHEST = all(0x1.62e42ep6f);
    private static final FloatVector ZERO = all(0);
    private static final FloatVector ONE = all(1);
    private static final FloatVector INFINITY = all(Float.POSITIVE_INFINITY);

    private static final FloatVector LOG2_E = all(0x1.715476p0f);
    private static final FloatVector MINUS_LN2_HIGH = all(-0x1.62e43p-1f);
    private static final FloatVector MINUS_LN2_LOW = all(0x1.05c61p-29f);

    /** Adding this leaves a float rounded to an integer, which then is the lowest bits of its significand. */
    private static final FloatVector ROUNDER = all(0x1.8p23f);

    // exp(r) = 1 + r + r^2 q(r) within 4e-9 for |r| <= ln(2)/2; the coefficients of q, found by Remez' algorithm.
    private static final FloatVector EXP_0 = all(0x1.fffffcp-2f);
    private static final FloatVector EXP_1 = all(0x1.555492p-3f);
    private static final FloatVector EXP_2 = all(0x1.5558f2p-5f);
    private static final FloatVector EXP_3 = all(0x1.1239e2p-7f);
    private static final FloatVector EXP_4 = all(0x1.6a2434p-10f);

    private static final int SIGNIFICAND_BITS = 23;

    private static final VectorShuffle<Float> SWAP_8 = swap(8);
    private static final VectorShuffle<Float> SWAP_4 = swap(4);
    private static final VectorShuffle<Float> SWAP_2 = swap(2);
    private static final VectorShuffle<Float> SWAP_1 = swap(1);

    private VectorMath() {
    }

    /** Exchanges neighbouring groups of {@code distance} lanes; leaves them where there are not so many. */
    private static VectorShuffle<Float> swap(int distance) {
        return VectorShuffle.fromOp(Lanes.F, lane -> (lane ^ distance) % Lanes.FLOATS);
    }

    /**
     * The sum of all lanes, the upper half being added to the lower one until one is left. The order in which
     * {@code reduceLanes} adds is not specified, and the JIT's is not the interpreter's: a result would change when a
     * method gets compiled.
     */
    static float sum(FloatVector x) {
        FloatVector sum = x;
        if (Lanes.FLOATS > 8) {
            sum = sum.add(sum.rearrange(SWAP_8));
        }
        if (Lanes.FLOATS > 4) {
            sum = sum.add(sum.rearrange(SWAP_4));
        }
        sum = sum.add(sum.rearrange(SWAP_2));
        return sum.add(sum.rearrange(SWAP_1)).lane(0);
    }

    /**
     * e to the power of each lane, with a relative error below 1e-7. Results that would be subnormal (below x =
     * -87.336, minus infinity included) are 0; what overflows is infinity and NaN stays NaN.
     */
    static FloatVector exp(FloatVector x) {
        return expWithoutOverflow(x).blend(INFINITY, x.compare(VectorOperators.GT, EXP_HIGHEST));
    }

    /** As {@link #exp} where no lane is above 88.7, as when a maximum has been subtracted; it saves a tenth. */
    static FloatVector expWithoutOverflow(FloatVector x) {
        // x = n ln(2) + r with a whole n and |r| <= ln(2)/2, so that exp(x) = 2^n exp(r).
        FloatVector shifted = x.fma(LOG2_E, ROUNDER);
        FloatVector n = shifted.sub(ROUNDER);
        FloatVector r = n.fma(MINUS_LN2_LOW, n.fma(MINUS_LN2_HIGH, x));
        // By Estrin's scheme, two chains that do not wait for each other.
        FloatVector square = r.mul(r);
        FloatVector q = square.fma(square.fma(EXP_4, r.fma(EXP_3, EXP_2)), r.fma(EXP_1, EXP_0));
        FloatVector ofR = square.fma(q, r).add(ONE);
        // Multiplies by 2^n: all bits of n that are not lost by the shift go into the exponent.
        IntVector exponent = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, SIGNIFICAND_BITS);
        FloatVector result = ofR.reinterpretAsInts().add(exponent).reinterpretAsFloats();
        return result.blend(ZERO, x.compare(VectorOperators.LT, EXP_LOWEST));
    }

    private static FloatVector all(float value) {
        return FloatVector.broadcast(Lanes.F, value);
    }
}
