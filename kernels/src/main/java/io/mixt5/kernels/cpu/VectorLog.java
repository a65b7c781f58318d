package io.mixt5.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * The natural logarithm on vectors of {@link Lanes#F}. Equal arguments give equal bits, and the result of a lane does
 * not depend on the vector's width.
 */
final class VectorLog {
    private static final int SIGNIFICAND_BITS = 23;
    /** The bits of sqrt(1/2), above which the significand's range begins. */
    private static final IntVector RANGE = IntVector.broadcast(Lanes.I, 0x3f3504f3);
    private static final FloatVector INFINITY = Floats.all(Float.POSITIVE_INFINITY);

    private static final FloatVector ONE = Floats.all(1);
    private static final FloatVector MINUS_HALF = Floats.all(-0.5f);
    private static final FloatVector LN2_HIGH = Floats.all(0x1.62e43p-1f);
    private static final FloatVector LN2_LOW = Floats.all(-0x1.05c61p-29f);

    // log(1 + f) = f - f^2/2 + f^3 q(f) within a relative 4e-8 for sqrt(1/2) <= 1 + f <= sqrt(2); the coefficients of
    // q, found by Remez' algorithm.
    private static final FloatVector LOG_0 = Floats.all(0x1.5556d8p-2f);
    private static final FloatVector LOG_1 = Floats.all(-0x1.000382p-2f);
    private static final FloatVector LOG_2 = Floats.all(0x1.98d7f2p-3f);
    private static final FloatVector LOG_3 = Floats.all(-0x1.53824ap-3f);
    private static final FloatVector LOG_4 = Floats.all(0x1.317456p-3f);
    private static final FloatVector LOG_5 = Floats.all(-0x1.2432bap-3f);
    private static final FloatVector LOG_6 = Floats.all(0x1.645eb4p-4f);

    private VectorLog() {
    }

    /**
     * The logarithm of each lane, with a relative error below 2e-7, for normal numbers above 0. Infinity and NaN stay
     * what they are.
     */
    static FloatVector log(FloatVector x) {
        // x = 2^n (1 + f).
        IntVector bits = x.reinterpretAsInts();
        IntVector n = bits.sub(RANGE).lanewise(VectorOperators.ASHR, SIGNIFICAND_BITS);
        FloatVector f = bits.sub(n.lanewise(VectorOperators.LSHL, SIGNIFICAND_BITS)).reinterpretAsFloats().sub(ONE);
        FloatVector q = LOG_6.fma(f, LOG_5).fma(f, LOG_4).fma(f, LOG_3).fma(f, LOG_2).fma(f, LOG_1).fma(f, LOG_0);
        FloatVector ofF = f.mul(f).fma(q.fma(f, MINUS_HALF), f);
        FloatVector exponent = (FloatVector) n.convert(VectorOperators.I2F, 0);
        FloatVector result = exponent.fma(LN2_HIGH, exponent.fma(LN2_LOW, ofF));
        // Also where x is NaN, which nothing is less than.
        return x.blend(result, x.compare(VectorOperators.LT, INFINITY));
    }
}
