package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Vectors of 16-bit floats in raw memory, as many as {@link Lanes#FLOATS}, computed with as 32-bit ones. Stores round
 * to nearest even; NaN stays NaN.
 */
final class Halves {
    private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_PREFERRED
            .withShape(VectorShape.forBitSize(Lanes.F.vectorBitSize() / 2));
    private static final IntVector ZERO = IntVector.zero(Lanes.I);
    private static final int MAGNITUDE = 0x7fffffff;
    private static final int F32_INFINITY = 0x7f800000;

    /** By how much the fraction of a float is longer than that of an F16, in bits. */
    private static final int LONGER = 13;
    /** 2^16 as a float: F16 ends there. */
    private static final int F16_END = 0x47800000;
    /** 2^-14 as a float: below it F16 is subnormal. */
    private static final int F16_NORMAL = 0x38800000;
    /** Added to a float below 2^-14, this leaves the bits of the rounded F16 at the end of the fraction. */
    private static final float SUBNORMAL_ROUNDER = 0.5f;
    /** The difference of the two formats' exponent biases, in the place of a float's exponent. */
    private static final int BIAS = (127 - 15) << 23;
    private static final int F16_INFINITY = 0x7c00;
    private static final int F16_NAN = 0x7e00;

    private Halves() {
    }

    /** Reads bfloat16, the upper half of a float. */
    static FloatVector loadBf16(long address) {
        return loadShorts(address).lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    /** Writes bfloat16. */
    static void storeBf16(long address, FloatVector value) {
        IntVector bits = value.reinterpretAsInts();
        IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
        IntVector rounded = bits.add(0x7fff).add(odd);
        IntVector quiet = bits.or(0x400000);
        VectorMask<Integer> nan = bits.and(MAGNITUDE).compare(VectorOperators.GT, F32_INFINITY);
        storeShorts(address, rounded.blend(quiet, nan).lanewise(VectorOperators.LSHR, 16));
    }

    /** Reads IEEE 754 binary16. */
    static FloatVector loadF16(long address) {
        IntVector bits = loadShorts(address);
        IntVector sign = bits.and(0x8000).lanewise(VectorOperators.LSHL, 16);
        IntVector magnitude = bits.and(0x7fff);
        // Moved into place the exponent is too small by the difference of the biases; a multiplication mends that, of
        // subnormal numbers too.
        FloatVector scaled = magnitude.lanewise(VectorOperators.LSHL, LONGER).reinterpretAsFloats().mul(0x1p112f);
        IntVector finite = scaled.reinterpretAsInts();
        IntVector value = finite.blend(finite.or(F32_INFINITY), magnitude.compare(VectorOperators.GE, F16_INFINITY));
        return value.or(sign).reinterpretAsFloats();
    }

    /** Writes IEEE 754 binary16. */
    static void storeF16(long address, FloatVector value) {
        IntVector bits = value.reinterpretAsInts();
        IntVector magnitude = bits.and(MAGNITUDE);
        IntVector odd = magnitude.lanewise(VectorOperators.LSHR, LONGER).and(1);
        IntVector normal = magnitude.sub(BIAS).add((1 << LONGER - 1) - 1).add(odd).lanewise(VectorOperators.LSHR,
                LONGER);
        IntVector subnormal = magnitude.reinterpretAsFloats().add(SUBNORMAL_ROUNDER).reinterpretAsInts()
                .sub(Float.floatToRawIntBits(SUBNORMAL_ROUNDER));
        IntVector special = ZERO.add(F16_INFINITY).blend(F16_NAN, magnitude.compare(VectorOperators.GT, F32_INFINITY));
        IntVector half = normal.blend(subnormal, magnitude.compare(VectorOperators.LT, F16_NORMAL)).blend(special,
                magnitude.compare(VectorOperators.GE, F16_END));
        storeShorts(address, half.or(bits.lanewise(VectorOperators.LSHR, 16).and(0x8000)));
    }

    private static IntVector loadShorts(long address) {
        ShortVector shorts = ShortVector.fromMemorySegment(SHORTS, Memory.ALL, address, ByteOrder.nativeOrder());
        return (IntVector) shorts.convertShape(VectorOperators.ZERO_EXTEND_S2I, Lanes.I, 0);
    }

    private static void storeShorts(long address, IntVector value) {
        ShortVector shorts = (ShortVector) value.convertShape(VectorOperators.I2S, SHORTS, 0);
        shorts.intoMemorySegment(Memory.ALL, address, ByteOrder.nativeOrder());
    }
}
