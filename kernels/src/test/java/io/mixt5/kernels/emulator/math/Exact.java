package io.mixt5.kernels.emulator.math;

import static org.junit.jupiter.api.Assertions.fail;

import java.math.BigDecimal;
import java.util.Random;
import java.util.function.DoubleSupplier;
import java.util.function.LongToDoubleFunction;

/**
 * Checks results against exact ones by the definition of rounding: which of the two neighbours in the format is meant.
 * Independent of {@link Format}: it only needs to know what bits mean, and that a format's numbers are in the order of
 * their bits.
 */
final class Exact {
    /** A format as told to the checks: what its bits mean, and its plus infinity. */
    record Reference(LongToDoubleFunction meaning, long infinity, int width) {
        static final Reference F16 = new Reference(bits -> Float.float16ToFloat((short) bits), 0x7c00, 16);
        static final Reference BF16 = new Reference(bits -> Float.intBitsToFloat((int) bits << 16), 0x7f80, 16);
        static final Reference F32 = new Reference(bits -> Float.intBitsToFloat((int) bits), 0x7f800000, 32);
        static final Reference F64 = new Reference(Double::longBitsToDouble, 0x7ff0000000000000L, 64);

        private long sign() {
            return 1L << width - 1;
        }
    }

    static final Rounding[] MODES = {Rounding.NEAREST, Rounding.ZERO, Rounding.DOWN, Rounding.UP};

    private Exact() {
    }

    /**
     * Checks that {@code bits} is what {@code exact} rounds to.
     *
     * @param zero the sign that a result has when {@code exact} is 0: 1 / zero
     */
    static void check(Reference format, Rounding rounding, BigDecimal exact, DoubleSupplier zero, long bits,
            String what) {
        boolean negative = exact.signum() == 0 ? 1 / zero.getAsDouble() < 0 : exact.signum() < 0;
        long magnitude = bits & format.sign() - 1;
        if (format.width < 64 && bits >>> format.width != 0) {
            fail(what + " has bits beyond its width: " + Long.toHexString(bits));
        }
        if (((bits & format.sign()) != 0) != negative) {
            fail(what + " has the wrong sign: " + Long.toHexString(bits));
        }
        if (magnitude > format.infinity) {
            fail(what + " is NaN");
        }
        BigDecimal size = exact.abs();
        boolean inward = rounding == Rounding.ZERO || rounding == (negative ? Rounding.UP : Rounding.DOWN);
        boolean outward = rounding == (negative ? Rounding.DOWN : Rounding.UP);
        if (size.compareTo(value(format, format.infinity)) >= 0) {
            if (magnitude != (inward ? format.infinity - 1 : format.infinity)) {
                fail(what + " overflows but became " + Long.toHexString(bits) + " by " + rounding);
            }
            return;
        }
        BigDecimal here = value(format, magnitude);
        int order = here.compareTo(size);
        boolean good = order == 0;
        if (order != 0) {
            // The neighbour on the other side of the exact result must be there, and be the worse choice.
            BigDecimal next = value(format, magnitude - order);
            int nearer = here.subtract(size).abs().compareTo(next.subtract(size).abs());
            boolean between = next.compareTo(size) == -order;
            boolean wanted = order < 0 ? inward : outward;
            boolean unwanted = order < 0 ? outward : inward;
            good = between && (wanted || !unwanted && (nearer < 0 || nearer == 0 && magnitude % 2 == 0));
        }
        if (!good) {
            fail(what + " became " + Long.toHexString(bits) + " by " + rounding);
        }
    }

    /** Infinity stands for the number that would follow the largest finite one. */
    private static BigDecimal value(Reference format, long magnitude) {
        if (magnitude < format.infinity) {
            return new BigDecimal(format.meaning.applyAsDouble(magnitude));
        }
        BigDecimal largest = new BigDecimal(format.meaning.applyAsDouble(format.infinity - 1));
        BigDecimal before = new BigDecimal(format.meaning.applyAsDouble(format.infinity - 2));
        return largest.add(largest.subtract(before));
    }

    /** Finite floats of all sizes, special ones often, and often close to {@code near}. */
    static float next(Random random, float near) {
        float[] special = {0, -0.0f, 1, -1, Float.MIN_VALUE, -Float.MIN_VALUE, Float.MIN_NORMAL, Float.MAX_VALUE,
                -Float.MAX_VALUE, 0x1p-24f, 65504, 65520};
        return switch (random.nextInt(6)) {
            case 0 -> special[random.nextInt(special.length)];
            case 1 -> Float.intBitsToFloat(Float.floatToRawIntBits(near) + random.nextInt(-3, 4));
            case 2 -> -near;
            case 3 -> near * Math.scalb(1 + random.nextInt(8) / 8f, random.nextInt(-30, 30));
            default -> Float.intBitsToFloat(random.nextInt());
        };
    }
}
