package io.mixt5.kernels.emulator.math;

/**
 * Operations on doubles rounded to odd: where no double is the exact result, that one of its two neighbours whose last
 * bit is 1. Rounding this to a format of at most 51 bits, by whatever rule, gives what rounding the exact result would
 * (Boldo and Melquiond, Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd).
 *
 * <p>Operands are of f32's range, so that nothing here overflows or underflows; infinities and NaN do as in IEEE 754.
 */
final class Odd {
    private Odd() {
    }

    /** Sum of two numbers. */
    static double sum(double x, double y) {
        double sum = x + y;
        if (Double.isInfinite(sum)) {
            return sum;
        }
        double rest = sum - x;
        return toOdd(sum, (x - (sum - rest)) + (y - rest));
    }

    /** Quotient of two numbers. */
    static double quotient(double x, double y) {
        double quotient = x / y;
        if (quotient == 0 || Double.isInfinite(quotient) || Double.isInfinite(y)) {
            return quotient;
        }
        return toOdd(quotient, Math.fma(-quotient, y, x) * Math.signum(y));
    }

    /** Square root. */
    static double root(double x) {
        double root = Math.sqrt(x);
        return Double.isInfinite(root) ? root : toOdd(root, Math.fma(-root, root, x));
    }

    /** An integer. */
    static double integer(long value) {
        long magnitude = Math.abs(value);
        int excess = 11 - Long.numberOfLeadingZeros(magnitude);
        if (excess <= 0) {
            return value;
        }
        long rest = magnitude & (1L << excess) - 1;
        if (rest == 0) {
            return value;
        }
        double odd = magnitude - rest | 1L << excess;
        return value < 0 ? -odd : odd;
    }

    /** An unsigned integer. */
    static double unsigned(long value) {
        return value >= 0 ? integer(value) : 2 * integer(value >>> 1 | value & 1);
    }

    private static double toOdd(double rounded, double error) {
        long bits = Double.doubleToRawLongBits(rounded);
        if ((bits & 1) != 0 || !(error < 0 || error > 0)) {
            return rounded;
        }
        return Double.longBitsToDouble(error > 0 == rounded > 0 ? bits + 1 : bits - 1);
    }
}
