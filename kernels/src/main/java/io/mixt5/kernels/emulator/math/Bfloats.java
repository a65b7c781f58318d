package io.mixt5.kernels.emulator.math;

/**
 * Operations on bf16, alone and in pairs ({@code bf16x2}, methods ending in 2, the first of a pair in the lower half).
 * They round once, to nearest even, and keep subnormals; a NaN that they return is 0x7fff.
 *
 * <p>For {@code .ftz} flush the operands and the result by {@link #flush}, for {@code .sat} put {@link #saturate} last.
 */
public final class Bfloats {
    /** The NaN that operations return. */
    public static final int NAN = 0x7fff;

    private static final int SIGN = 0x8000;
    private static final int MAGNITUDE = 0x7fff;
    private static final int SMALLEST_NORMAL = 0x0080;
    private static final int ONE = 0x3f80;

    private Bfloats() {
    }

    /** The number that the lower half of {@code bits} means. */
    public static float value(int bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** A float rounded to nearest even. */
    public static int bits(float value) {
        if (value != value) {
            return NAN;
        }
        int bits = Float.floatToRawIntBits(value);
        return bits + 0x7fff + (bits >>> 16 & 1) >>> 16;
    }

    /** {@code a + b}. A float has more than twice the bits of a bf16, which makes rounding twice harmless for sums. */
    public static int add(int a, int b) {
        return bits(value(a) + value(b));
    }

    /** {@code a - b}. */
    public static int sub(int a, int b) {
        return bits(value(a) - value(b));
    }

    /** {@code a b}. */
    public static int mul(int a, int b) {
        // A float may hold only a part of a product that is subnormal; a double holds it all.
        return (int) Format.BF16.encode((double) value(a) * value(b), Rounding.NEAREST);
    }

    /** {@code a b + c}, rounded once. */
    public static int fma(int a, int b, int c) {
        return (int) Format.BF16.encode(Odd.sum((double) value(a) * value(b), value(c)), Rounding.NEAREST);
    }

    /** The smaller one; -0 is below +0, and of a number and NaN it is the number. */
    public static int min(int a, int b) {
        return bits(Floats.min(value(a), value(b)));
    }

    /** The larger one; +0 is above -0, and of a number and NaN it is the number. */
    public static int max(int a, int b) {
        return bits(Floats.max(value(a), value(b)));
    }

    /** {@code min.NaN}: NaN where one is. */
    public static int minNan(int a, int b) {
        return bits(Math.min(value(a), value(b)));
    }

    /** {@code max.NaN}: NaN where one is. */
    public static int maxNan(int a, int b) {
        return bits(Math.max(value(a), value(b)));
    }

    /** Changes the sign, of NaN too. */
    public static int neg(int a) {
        return a & 0xffff ^ SIGN;
    }

    /** Removes the sign, of NaN too. */
    public static int abs(int a) {
        return a & MAGNITUDE;
    }

    /** {@code .ftz}: a subnormal number becomes a zero of its sign. */
    public static int flush(int a) {
        return (a & MAGNITUDE) < SMALLEST_NORMAL ? a & SIGN : a & 0xffff;
    }

    /** {@code .sat}: clamps to 0 and 1, NaN becoming 0. */
    public static int saturate(int a) {
        float value = value(a);
        return value > 0 ? value < 1 ? a & 0xffff : ONE : 0;
    }

    /** {@code .relu}: a number below 0 becomes 0, NaN the NaN that operations return. */
    public static int relu(int a) {
        float value = value(a);
        return value != value ? NAN : value > 0 ? a & 0xffff : 0;
    }

    /** {@code a + b} of pairs. */
    public static int add2(int a, int b) {
        return Halves.pair(add(a, b), add(a >>> 16, b >>> 16));
    }

    /** {@code a - b} of pairs. */
    public static int sub2(int a, int b) {
        return Halves.pair(sub(a, b), sub(a >>> 16, b >>> 16));
    }

    /** {@code a b} of pairs. */
    public static int mul2(int a, int b) {
        return Halves.pair(mul(a, b), mul(a >>> 16, b >>> 16));
    }

    /** {@code a b + c} of pairs. */
    public static int fma2(int a, int b, int c) {
        return Halves.pair(fma(a, b, c), fma(a >>> 16, b >>> 16, c >>> 16));
    }

    /** {@link #min} of pairs. */
    public static int min2(int a, int b) {
        return Halves.pair(min(a, b), min(a >>> 16, b >>> 16));
    }

    /** {@link #max} of pairs. */
    public static int max2(int a, int b) {
        return Halves.pair(max(a, b), max(a >>> 16, b >>> 16));
    }

    /** {@link #minNan} of pairs. */
    public static int minNan2(int a, int b) {
        return Halves.pair(minNan(a, b), minNan(a >>> 16, b >>> 16));
    }

    /** {@link #maxNan} of pairs. */
    public static int maxNan2(int a, int b) {
        return Halves.pair(maxNan(a, b), maxNan(a >>> 16, b >>> 16));
    }

    /** {@link #neg} of a pair. */
    public static int neg2(int a) {
        return a ^ (SIGN << 16 | SIGN);
    }

    /** {@link #abs} of a pair. */
    public static int abs2(int a) {
        return a & (MAGNITUDE << 16 | MAGNITUDE);
    }

    /** {@link #flush} of a pair. */
    public static int flush2(int a) {
        return Halves.pair(flush(a), flush(a >>> 16));
    }

    /** {@link #saturate} of a pair. */
    public static int saturate2(int a) {
        return Halves.pair(saturate(a), saturate(a >>> 16));
    }

    /** {@link #relu} of a pair. */
    public static int relu2(int a) {
        return Halves.pair(relu(a), relu(a >>> 16));
    }
}
