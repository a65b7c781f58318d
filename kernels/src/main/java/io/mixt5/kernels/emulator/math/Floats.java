package io.mixt5.kernels.emulator.math;

/**
 * Operations on f32. A NaN that they return is 0x7fffffff.
 *
 * <p>For {@code .ftz} flush the operands and the result by {@link #flush}, for {@code .sat} put {@link #saturate} last.
 * For the formats' common part see {@link Format}, for comparisons {@link Comparison}.
 */
public final class Floats {
    /** The NaN that operations return. */
    public static final int NAN = 0x7fffffff;

    private static final int MAGNITUDE = 0x7fffffff;
    private static final int SMALLEST_NORMAL = 0x00800000;
    private static final int ONE = 0x3f800000;

    private Floats() {
    }

    /** The number that bits mean. */
    static float value(int bits) {
        return Float.intBitsToFloat(bits);
    }

    /** The bits of a number, NaN being {@link #NAN}. */
    static int bits(float value) {
        return value != value ? NAN : Float.floatToRawIntBits(value);
    }

    private static int round(double odd, Rounding rounding) {
        return (int) Format.F32.encode(odd, rounding);
    }

    /** {@code a + b} to nearest even. */
    public static int add(int a, int b) {
        return bits(value(a) + value(b));
    }

    /** {@code a - b} to nearest even. */
    public static int sub(int a, int b) {
        return bits(value(a) - value(b));
    }

    /** {@code a b} to nearest even. */
    public static int mul(int a, int b) {
        return bits(value(a) * value(b));
    }

    /** {@code a b + c}, rounded once to nearest even. */
    public static int fma(int a, int b, int c) {
        return bits(Math.fma(value(a), value(b), value(c)));
    }

    /** {@code a / b} to nearest even. */
    public static int div(int a, int b) {
        return bits(value(a) / value(b));
    }

    /** {@code 1 / a} to nearest even. */
    public static int rcp(int a) {
        return bits(1 / value(a));
    }

    /** Square root to nearest even; of a number below 0 it is NaN, of -0 it is -0. */
    public static int sqrt(int a) {
        // A double has more than twice the bits, which makes rounding twice harmless.
        return bits((float) Math.sqrt(value(a)));
    }

    /** {@code a + b}, rounded as told. */
    public static int add(int a, int b, Rounding rounding) {
        return rounding == Rounding.NEAREST ? add(a, b) : add((double) value(a), value(b), rounding);
    }

    /** {@code a - b}, rounded as told. */
    public static int sub(int a, int b, Rounding rounding) {
        return rounding == Rounding.NEAREST ? sub(a, b) : add((double) value(a), -value(b), rounding);
    }

    /** {@code a b}, rounded as told. */
    public static int mul(int a, int b, Rounding rounding) {
        return rounding == Rounding.NEAREST ? mul(a, b) : round((double) value(a) * value(b), rounding);
    }

    /** {@code a b + c}, rounded once as told. */
    public static int fma(int a, int b, int c, Rounding rounding) {
        return rounding == Rounding.NEAREST ? fma(a, b, c) : add((double) value(a) * value(b), value(c), rounding);
    }

    /** {@code a / b}, rounded as told. */
    public static int div(int a, int b, Rounding rounding) {
        return rounding == Rounding.NEAREST ? div(a, b) : round(Odd.quotient(value(a), value(b)), rounding);
    }

    /** {@code 1 / a}, rounded as told. */
    public static int rcp(int a, Rounding rounding) {
        return div(ONE, a, rounding);
    }

    /** Square root, rounded as told. */
    public static int sqrt(int a, Rounding rounding) {
        return rounding == Rounding.NEAREST ? sqrt(a) : round(Odd.root(value(a)), rounding);
    }

    private static int add(double x, double y, Rounding rounding) {
        double sum = Odd.sum(x, y);
        // What cancels is +0, but -0 when rounding down; equal zeros keep their sign.
        if (sum == 0 && rounding == Rounding.DOWN && (x != 0 || 1 / x != 1 / y)) {
            sum = -0.0;
        }
        return round(sum, rounding);
    }

    /** The smaller one; -0 is below +0, and of a number and NaN it is the number. */
    public static int min(int a, int b) {
        return bits(min(value(a), value(b)));
    }

    /** The larger one; +0 is above -0, and of a number and NaN it is the number. */
    public static int max(int a, int b) {
        return bits(max(value(a), value(b)));
    }

    /** {@code min.NaN}: NaN where one is. */
    public static int minNan(int a, int b) {
        return bits(Math.min(value(a), value(b)));
    }

    /** {@code max.NaN}: NaN where one is. */
    public static int maxNan(int a, int b) {
        return bits(Math.max(value(a), value(b)));
    }

    /** The smaller number, whatever format it is from. */
    static float min(float x, float y) {
        return x != x ? y : y != y ? x : Math.min(x, y);
    }

    /** The larger number, whatever format it is from. */
    static float max(float x, float y) {
        return x != x ? y : y != y ? x : Math.max(x, y);
    }

    /** Changes the sign, of NaN too. */
    public static int neg(int a) {
        return a ^ ~MAGNITUDE;
    }

    /** Removes the sign, of NaN too. */
    public static int abs(int a) {
        return a & MAGNITUDE;
    }

    /** The magnitude of {@code value} with the sign of {@code sign}. */
    public static int copysign(int sign, int value) {
        return value & MAGNITUDE | sign & ~MAGNITUDE;
    }

    /** {@code .ftz}: a subnormal number becomes a zero of its sign. */
    public static int flush(int a) {
        return (a & MAGNITUDE) < SMALLEST_NORMAL ? a & ~MAGNITUDE : a;
    }

    /** {@code .sat}: clamps to 0 and 1, NaN becoming 0. */
    public static int saturate(int a) {
        float value = value(a);
        return value > 0 ? value < 1 ? a : ONE : 0;
    }
}
