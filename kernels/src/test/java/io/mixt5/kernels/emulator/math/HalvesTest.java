package io.mixt5.kernels.emulator.math;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import java.util.Random;
import java.util.function.IntBinaryOperator;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;

/** Both 16-bit formats, by the same tests. */
class HalvesTest {
    private interface Ternary {
        int apply(int a, int b, int c);
    }

    private final Random random = new Random(3);

    /** Any bits, or bits that make a sum come close to cancelling or to a tie. */
    private int next(int near) {
        return switch (random.nextInt(4)) {
            case 0 -> near ^ 0x8000;
            case 1 -> near + random.nextInt(-2, 3) & 0xffff;
            default -> random.nextInt(1 << 16);
        };
    }

    private void checkOperations(Exact.Reference format, IntBinaryOperator add, IntBinaryOperator sub,
            IntBinaryOperator mul, Ternary fma) {
        for (int i = 0; i < 150_000; i++) {
            int a = next(0x3c00);
            int b = next(a);
            int c = next(mul.applyAsInt(a, b));
            double x = format.meaning().applyAsDouble(a);
            double y = format.meaning().applyAsDouble(b);
            double z = format.meaning().applyAsDouble(c);
            if (!Double.isFinite(x) || !Double.isFinite(y) || !Double.isFinite(z)) {
                continue;
            }
            BigDecimal product = new BigDecimal(x).multiply(new BigDecimal(y));
            String of = Integer.toHexString(a) + ", " + Integer.toHexString(b) + ", " + Integer.toHexString(c);
            // The upper halves of registers hold anything.
            int noise = random.nextInt() << 16;
            check(format, new BigDecimal(x).add(new BigDecimal(y)), x + y, add.applyAsInt(a | noise, b), of);
            check(format, new BigDecimal(x).subtract(new BigDecimal(y)), x - y, sub.applyAsInt(a, b | noise), of);
            check(format, product, x * y, mul.applyAsInt(a | noise, b), of);
            check(format, product.add(new BigDecimal(z)), x * y + z, fma.apply(a, b, c | noise), of);
        }
    }

    private static void check(Exact.Reference format, BigDecimal exact, double zero, int bits, String what) {
        Exact.check(format, Rounding.NEAREST, exact, () -> zero, bits, what);
    }

    @Test
    void halvesAreTheExactResultsRoundedOnce() {
        checkOperations(Exact.Reference.F16, Halves::add, Halves::sub, Halves::mul, Halves::fma);
    }

    @Test
    void bfloatsAreTheExactResultsRoundedOnce() {
        checkOperations(Exact.Reference.BF16, Bfloats::add, Bfloats::sub, Bfloats::mul, Bfloats::fma);
    }

    /** 2^15 + 2^5 + 2^4 - 2^-16: a float cannot hold it and rounds it to a tie, which then goes up. */
    @Test
    void fmaDoesNotRoundTwice() {
        float a = 4 + 0x1p-8f;
        float b = 4 - 0x1p-8f;
        assertEquals(half(32832), half(Math.fma(a, b, 32800f)));
        assertEquals(half(32800), Halves.fma(half(a), half(b), half(32800)));
    }

    private static int half(float value) {
        return Float.floatToFloat16(value) & 0xffff;
    }

    @Test
    void everyHalfSurvives() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            int canonical = Float.isNaN(Float.float16ToFloat((short) bits)) ? Halves.NAN : bits;
            assertEquals(canonical, Halves.bits(Halves.value(bits)));
            assertEquals(bits, Halves.neg(Halves.neg(bits)));
            assertEquals(Float.isNaN(Bfloats.value(bits)) ? Bfloats.NAN : bits, Bfloats.bits(Bfloats.value(bits)));
            assertEquals(Math.abs(Bfloats.value(bits)), Bfloats.value(Bfloats.abs(bits)));
            assertEquals(Math.abs(Halves.value(bits)), Halves.value(Halves.abs(bits)));
        }
    }

    @Test
    void everyHalfIsFlushedAndSaturated() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            check(bits, Halves.value(bits), 0x1p-14f, Halves::flush, Halves::saturate, Halves::relu, Halves::value);
            check(bits, Bfloats.value(bits), 0x1p-126f, Bfloats::flush, Bfloats::saturate, Bfloats::relu,
                    Bfloats::value);
        }
    }

    private interface Value {
        float of(int bits);
    }

    private static void check(int bits, float value, float smallest, IntUnaryOperator flush, IntUnaryOperator saturate,
            IntUnaryOperator relu, Value meaning) {
        float flushed = Math.abs(value) < smallest ? Math.copySign(0, value) : value;
        assertEquals(flushed, meaning.of(flush.applyAsInt(bits)));
        float saturated = Float.isNaN(value) ? 0 : Math.max(0f, Math.min(1f, value));
        assertEquals(saturated, meaning.of(saturate.applyAsInt(bits)));
        assertEquals(Math.max(0f, value), meaning.of(relu.applyAsInt(bits)));
    }

    @Test
    void minAndMaxPreferNumbers() {
        int nan = 0xfff1;
        assertEquals(0x4200, Halves.min(nan, 0x4200));
        assertEquals(0x4200, Halves.max(0x4200, nan));
        assertEquals(Halves.NAN, Halves.max(nan, nan));
        assertEquals(Halves.NAN, Halves.maxNan(nan, 0x4200));
        assertEquals(Bfloats.NAN, Bfloats.minNan(0x4200, nan));
        assertEquals(0x8000, Halves.min(0, 0x8000));
        assertEquals(0, Bfloats.max(0, 0x8000));
        assertEquals(0xc200, Bfloats.min(0x4200, 0xc200));
    }

    @Test
    void pairsAreTwoHalves() {
        IntBinaryOperator[][] operators = {{Halves::add2, Halves::add}, {Halves::sub2, Halves::sub},
                {Halves::mul2, Halves::mul}, {Halves::min2, Halves::min}, {Halves::max2, Halves::max},
                {Halves::minNan2, Halves::minNan}, {Halves::maxNan2, Halves::maxNan}, {Bfloats::add2, Bfloats::add},
                {Bfloats::sub2, Bfloats::sub}, {Bfloats::mul2, Bfloats::mul}, {Bfloats::min2, Bfloats::min},
                {Bfloats::max2, Bfloats::max}, {Bfloats::minNan2, Bfloats::minNan},
                {Bfloats::maxNan2, Bfloats::maxNan}};
        IntUnaryOperator[][] unary = {{Halves::neg2, Halves::neg}, {Halves::abs2, Halves::abs},
                {Halves::flush2, Halves::flush}, {Halves::saturate2, Halves::saturate}, {Halves::relu2, Halves::relu},
                {Bfloats::neg2, Bfloats::neg}, {Bfloats::abs2, Bfloats::abs}, {Bfloats::flush2, Bfloats::flush},
                {Bfloats::saturate2, Bfloats::saturate}, {Bfloats::relu2, Bfloats::relu}};
        for (int i = 0; i < 20_000; i++) {
            int a = random.nextInt();
            int b = random.nextInt();
            int c = random.nextInt();
            for (IntBinaryOperator[] operator : operators) {
                assertEquals(operator[1].applyAsInt(a >>> 16, b >>> 16) << 16 | operator[1].applyAsInt(a, b),
                        operator[0].applyAsInt(a, b));
            }
            for (IntUnaryOperator[] operator : unary) {
                assertEquals(operator[1].applyAsInt(a >>> 16) << 16 | operator[1].applyAsInt(a),
                        operator[0].applyAsInt(a));
            }
            assertEquals(Halves.fma(a >>> 16, b >>> 16, c >>> 16) << 16 | Halves.fma(a, b, c), Halves.fma2(a, b, c));
            assertEquals(Bfloats.fma(a >>> 16, b >>> 16, c >>> 16) << 16 | Bfloats.fma(a, b, c),
                    Bfloats.fma2(a, b, c));
        }
    }
}
