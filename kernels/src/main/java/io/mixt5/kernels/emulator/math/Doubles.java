package io.mixt5.kernels.emulator.math;

import java.math.BigDecimal;

/** Operations on f64. What they return where an operand is NaN is a NaN with no particular bits. */
public final class Doubles {
    private Doubles() {
    }

    private static double value(long bits) {
        return Double.longBitsToDouble(bits);
    }

    private static long bits(double value) {
        return Double.doubleToRawLongBits(value);
    }

    private static BigDecimal exact(double value) {
        return new BigDecimal(value);
    }

    /** {@code a + b}, rounded as told. */
    public static long add(long a, long b, Rounding rounding) {
        return bits(add(value(a), value(b), rounding));
    }

    /** {@code a - b}, rounded as told. */
    public static long sub(long a, long b, Rounding rounding) {
        return bits(add(value(a), -value(b), rounding));
    }

    private static double add(double x, double y, Rounding rounding) {
        double sum = x + y;
        if (rounding == Rounding.NEAREST || !finite(x, y)) {
            return sum;
        }
        return adjustSum(sum, exact(x).add(exact(y)), x, y, rounding);
    }

    /** {@code a b}, rounded as told. */
    public static long mul(long a, long b, Rounding rounding) {
        double x = value(a);
        double y = value(b);
        double product = x * y;
        if (rounding == Rounding.NEAREST || !finite(x, y)) {
            return bits(product);
        }
        return bits(rounding.adjust(product, exact(x).multiply(exact(y))));
    }

    /** {@code a b + c}, rounded once as told. */
    public static long fma(long a, long b, long c, Rounding rounding) {
        double x = value(a);
        double y = value(b);
        double z = value(c);
        double sum = Math.fma(x, y, z);
        if (rounding == Rounding.NEAREST || !finite(x, y) || !finite(z, z)) {
            return bits(sum);
        }
        BigDecimal product = exact(x).multiply(exact(y));
        // A product that underflows is not 0: only its sign matters then.
        double sign = product.signum() == 0 ? x * y : product.signum();
        return bits(adjustSum(sum, product.add(exact(z)), sign, z, rounding));
    }

    /** {@code a / b} to nearest even. */
    public static long div(long a, long b) {
        return bits(value(a) / value(b));
    }

    /** {@code 1 / a} to nearest even. */
    public static long rcp(long a) {
        return bits(1 / value(a));
    }

    /** Square root to nearest even. */
    public static long sqrt(long a) {
        return bits(Math.sqrt(value(a)));
    }

    /** {@code rsqrt.approx}; a GPU's relative error is at most 2^-22.9 with {@code .ftz} and no larger without. */
    public static long rsqrt(long a) {
        return bits(1 / Math.sqrt(value(a)));
    }

    /** The smaller one; -0 is below +0, and of a number and NaN it is the number. */
    public static long min(long a, long b) {
        double x = value(a);
        double y = value(b);
        return x != x ? b : y != y ? a : bits(Math.min(x, y));
    }

    /** The larger one; +0 is above -0, and of a number and NaN it is the number. */
    public static long max(long a, long b) {
        double x = value(a);
        double y = value(b);
        return x != x ? b : y != y ? a : bits(Math.max(x, y));
    }

    private static boolean finite(double x, double y) {
        return Double.isFinite(x) && Double.isFinite(y);
    }

    /** What cancels is +0, but -0 when rounding down; equal zeros keep their sign. */
    private static double adjustSum(double sum, BigDecimal exact, double x, double y, Rounding rounding) {
        if (exact.signum() != 0) {
            return rounding.adjust(sum, exact);
        }
        return rounding == Rounding.DOWN && (x != 0 || 1 / x != 1 / y) ? -0.0 : sum;
    }
}
