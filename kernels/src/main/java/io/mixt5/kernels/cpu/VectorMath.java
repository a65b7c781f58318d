package io.mixt5.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Elementary functions on vectors of {@link Lanes#F}, made of a few multiplications each, so that they inline into the
 * loops that call them. A lane's result does not depend on the vector's width.
 */
public final class VectorMath {
    /** Below this exp is less than the smallest normal float, and taken to be 0. */
    private static final float EXP_LOWEST = -0x1.5d589ep6f;
    /** Above this exp is more than the largest float. */
    private static final float EXP_HIGHEST = 0x1.62e42ep6f;

    private static final float LOG2_E = 0x1.715476p0f;
    private static final float LN2_HIGH = 0x1.62e43p-1f;
    private static final float LN2_LOW = -0x1.05c61p-29f;

    /** Adding this leaves a float rounded to an integer, which then is the lowest bits of its significand. */
    private static final float ROUNDER = 0x1.8p23f;

    // exp(r) = 1 + r + r^2 q(r) within 4e-9 for |r| <= ln(2)/2; the coefficients of q, found by Remez' algorithm.
    private static final float EXP_0 = 0x1.fffffcp-2f;
    private static final float EXP_1 = 0x1.555492p-3f;
    private static final float EXP_2 = 0x1.5558f2p-5f;
    private static final float EXP_3 = 0x1.1239e2p-7f;
    private static final float EXP_4 = 0x1.6a2434p-10f;

    private static final int SIGNIFICAND_BITS = 23;

    private VectorMath() {
    }

    /**
     * e to the power of each lane, with a relative error below 1e-7. Results that would be subnormal (below x =
     * -87.336, minus infinity included) are 0; what overflows is infinity and NaN stays NaN.
     */
    public static FloatVector exp(FloatVector x) {
        // x = n ln(2) + r with a whole n and |r| <= ln(2)/2, so that exp(x) = 2^n exp(r).
        FloatVector shifted = x.fma(constant(LOG2_E), constant(ROUNDER));
        FloatVector n = shifted.sub(ROUNDER);
        FloatVector r = n.fma(constant(-LN2_LOW), n.fma(constant(-LN2_HIGH), x));
        FloatVector q = constant(EXP_4).fma(r, constant(EXP_3)).fma(r, constant(EXP_2)).fma(r, constant(EXP_1)).fma(r,
                constant(EXP_0));
        FloatVector ofR = r.mul(r).fma(q, r).add(1);
        // Multiplies by 2^n: all bits of n that are not lost by the shift go into the exponent.
        IntVector exponent = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, SIGNIFICAND_BITS);
        FloatVector result = ofR.reinterpretAsInts().add(exponent).reinterpretAsFloats();
        VectorMask<Float> tooLow = x.compare(VectorOperators.LT, EXP_LOWEST);
        VectorMask<Float> tooHigh = x.compare(VectorOperators.GT, EXP_HIGHEST);
        return result.blend(0, tooLow).blend(Float.POSITIVE_INFINITY, tooHigh);
    }

    private static FloatVector constant(float value) {
        return FloatVector.broadcast(Lanes.F, value);
    }
}
