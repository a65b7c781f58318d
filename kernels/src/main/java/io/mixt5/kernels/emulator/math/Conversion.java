package io.mixt5.kernels.emulator.math;

import java.math.BigDecimal;
import java.math.BigInteger;

/**
 * {@code cvt}: one number into another type.
 *
 * @param from type of the operand
 * @param to type of the result
 * @param rounding what to do with a result that {@code to} cannot hold
 * @param integral for floating point types on both sides: whether to round to an integer, as {@code .rni} does
 * @param flush {@code .ftz}: f32 operands and results that are subnormal become zeros
 * @param saturate {@code .sat}: integers are clamped to what {@code to} can hold, as they always are when they come
 * from floating point numbers; floating point results are clamped to 0 and 1
 * @param relu {@code .relu}: a negative result becomes 0
 * @param finite {@code .satfinite}: a result too large becomes the largest finite one
 */
public record Conversion(NumberType from, NumberType to, Rounding rounding, boolean integral, boolean flush,
        boolean saturate,
        boolean relu, boolean finite) {
    /**
     * The conversion that an opcode such as {@code cvt.rn.f16.f32} names. Of {@code cvt.rn.f16x2.f32} and its like it
     * is that of one half; the first operand goes into the upper one.
     *
     * @throws IllegalArgumentException for what is none, saying why
     */
    public static Conversion of(String opcode) {
        String[] words = opcode.split("\\.");
        int last = words.length - 1;
        NumberType from = last < 2 ? null : NumberType.of(words[last]);
        NumberType to = last < 2 ? null : NumberType.of(words[last - 1].replace("x2", ""));
        if (!words[0].equals("cvt") || from == null || to == null) {
            throw new IllegalArgumentException(opcode + " is no conversion between two types known here");
        }
        Rounding rounding = null;
        boolean integral = false;
        boolean flush = false;
        boolean saturate = false;
        boolean relu = false;
        boolean finite = false;
        for (int i = 1; i < last - 1; i++) {
            switch (words[i]) {
                case "ftz" -> flush = true;
                case "sat" -> saturate = true;
                case "relu" -> relu = true;
                case "satfinite" -> finite = true;
                default -> {
                    rounding = Rounding.of(words[i]);
                    integral = words[i].endsWith("i");
                    if (rounding == null) {
                        throw new IllegalArgumentException(
                                opcode + " has the modifier ." + words[i] + ", which is not known here");
                    }
                }
            }
        }
        return new Conversion(from, to, rounding == null ? Rounding.NEAREST : rounding, integral, flush, saturate, relu,
                finite);
    }

    /**
     * Converts.
     *
     * @param bits the operand; bits beyond its width are ignored
     * @return the result, sign-extended if it is a signed integer and zero-extended otherwise
     */
    public long apply(long bits) {
        Format source = from.format();
        Format target = to.format();
        if (source == null) {
            long value = from.integer(bits);
            return target == null ? integerToInteger(value) : finish(target, integerToFloat(value, target));
        }
        double value = source.decode(flush && from == NumberType.F32 ? Floats.flush((int) bits) : bits);
        if (target == null) {
            return floatToInteger(value);
        }
        if (from == NumberType.F64 && to == NumberType.F64 && !integral) {
            return bits;
        }
        return finish(target, target.encode(integral ? rounding.integral(value) : value, rounding));
    }

    private long finish(Format target, long bits) {
        long result = bits;
        if (finite && target.decode(result) == Double.POSITIVE_INFINITY) {
            result = target.encode(Double.MAX_VALUE, Rounding.ZERO);
        } else if (finite && target.decode(result) == Double.NEGATIVE_INFINITY) {
            result = target.encode(-Double.MAX_VALUE, Rounding.ZERO);
        }
        if (relu && target.decode(result) <= 0) {
            result = 0;
        }
        if (flush && to == NumberType.F32) {
            result = target.flush(result);
        }
        return saturate ? target.saturate(result) : result;
    }

    private long integerToInteger(long value) {
        if (!saturate) {
            return to.integer(value);
        }
        if (!from.signed() && value < 0) {
            // 2^63 or more.
            return to == NumberType.U64 ? value : to.largest();
        }
        if (value < to.smallest()) {
            return to.smallest();
        }
        // The largest U64 reads as -1 here; what comes signed or below 2^63 fits.
        return to != NumberType.U64 && value > to.largest() ? to.largest() : value;
    }

    private long integerToFloat(long value, Format target) {
        if (target == Format.F64) {
            BigInteger exact = from.signed() ? BigInteger.valueOf(value) : new BigInteger(Long.toUnsignedString(value));
            return Double.doubleToRawLongBits(rounding.adjust(exact.doubleValue(), new BigDecimal(exact)));
        }
        return target.encode(from.signed() ? Odd.integer(value) : Odd.unsigned(value), rounding);
    }

    private long floatToInteger(double value) {
        if (value != value) {
            // From the ISA: 0, unless one side has 64 bits.
            return from == NumberType.F64 || to.width() == 64 ? to.integer(1L << to.width() - 1) : 0;
        }
        double integer = rounding.integral(value);
        // As doubles: one more than the largest, which is a power of two and so exact.
        double end = to.signed() ? Math.scalb(1.0, to.width() - 1) : Math.scalb(1.0, to.width());
        if (integer >= end) {
            return to.largest();
        }
        if (integer < to.smallest()) {
            return to.smallest();
        }
        return integer >= 0x1p63 ? (long) (integer - 0x1p63) ^ Long.MIN_VALUE : (long) integer;
    }
}
