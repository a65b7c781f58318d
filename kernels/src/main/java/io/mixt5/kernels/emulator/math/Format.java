package io.mixt5.kernels.emulator.math;

/**
 * A binary format of floating point numbers.
 *
 * <p>Every number of it is a double; {@link #encode} goes back, rounding once. To round a result that no double holds,
 * round it to odd first ({@link Odd}): with at least two bits to spare that changes nothing.
 */
public enum Format {
    /** IEEE 754 binary16. */
    F16(16, 11, -24),
    /** The upper half of an f32. */
    BF16(16, 8, -133),
    /** The upper 19 bits of an f32; {@link #decode} and {@link #encode} keep them at the place they have there. */
    TF32(32, 11, -136),
    /** IEEE 754 binary32. */
    F32(32, 24, -149),
    /** IEEE 754 binary64. */
    F64(64, 53, -1074);

    private static final int DOUBLE_FRACTION = 52;
    private static final int DOUBLE_QUANTUM = -1074;

    private final int width;
    private final int precision;
    private final int quantum;
    /** Zeros behind the fraction. */
    private final int padding;
    private final long infinity;

    /**
     * A format.
     *
     * @param width bits that a number takes
     * @param precision bits of a significand, the leading one included
     * @param quantum exponent of the smallest number above 0
     */
    Format(int width, int precision, int quantum) {
        this.width = width;
        this.precision = precision;
        this.quantum = quantum;
        // The smallest normal number 2^(1 - bias) is 2^(precision - 1) quanta.
        int bias = 1 - (quantum + precision - 1);
        int exponentBits = 33 - Integer.numberOfLeadingZeros(bias);
        padding = width - precision - exponentBits;
        infinity = (2L * bias + 1) << precision - 1 + padding;
    }

    /** Bits that a number takes. */
    public int width() {
        return width;
    }

    /** The NaN that operations of this format return: all bits but the sign set. */
    public long nan() {
        return (1L << width - 1) - 1;
    }

    /** The bits of plus infinity; what is larger without its sign is NaN. */
    public long infinity() {
        return infinity;
    }

    /** The number that the lower {@link #width} bits mean. */
    public double decode(long bits) {
        return switch (this) {
            case F16 -> Float.float16ToFloat((short) bits);
            case BF16 -> Float.intBitsToFloat((int) bits << 16);
            case TF32 -> Float.intBitsToFloat((int) bits & -1 << 13);
            case F32 -> Float.intBitsToFloat((int) bits);
            case F64 -> Double.longBitsToDouble(bits);
        };
    }

    /**
     * The bits of a number in this format.
     *
     * @return zero-extended; a number too large becomes infinite or, where the rounding leads away from infinity, the
     * largest finite one; NaN becomes {@link #nan}, except in F64
     */
    public long encode(double value, Rounding rounding) {
        if (this == F64) {
            return Double.doubleToRawLongBits(value);
        }
        if (value != value) {
            return nan();
        }
        long bits = Double.doubleToRawLongBits(value);
        boolean negative = bits < 0;
        long sign = negative ? 1L << width - 1 : 0;
        long magnitude = bits & Long.MAX_VALUE;
        int field = (int) (magnitude >>> DOUBLE_FRACTION);
        if (field == 0x7ff) {
            return sign | infinity;
        }
        long fraction = magnitude & (1L << DOUBLE_FRACTION) - 1;
        long significand = field == 0 ? fraction : fraction | 1L << DOUBLE_FRACTION;
        int exponent = DOUBLE_QUANTUM + Math.max(field - 1, 0);
        int unit = Math.max(exponent + DOUBLE_FRACTION + 1 - precision, quantum);
        long rounded = rounding.shift(significand, unit - exponent, negative);
        // A significand with its leading bit carries into the exponent's field, which so becomes one more, as it must.
        long result = ((long) (unit - quantum) << precision - 1) + rounded << padding;
        if (result >= infinity) {
            result = rounding.overflows(negative) ? infinity : infinity - (1L << padding);
        }
        return sign | result;
    }

    /** A subnormal number becomes a zero of its sign: {@code .ftz}. */
    public long flush(long bits) {
        long sign = 1L << width - 1;
        long smallest = 1L << precision - 1 + padding;
        return (bits & sign - 1) < smallest ? bits & sign : bits;
    }

    /** Clamps to 0 and 1, NaN becoming 0: {@code .sat}. */
    public long saturate(long bits) {
        double value = decode(bits);
        return value > 0 ? value < 1 ? bits : encode(1, Rounding.ZERO) : 0;
    }
}
