package io.mixt5.kernels.emulator.math;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;

/** Against Taylor series in decimal arithmetic, and at points that have simple results. */
class ApproximationsTest {
    private static final MathContext DIGITS = new MathContext(60);
    private static final BigDecimal LN_2 = ln2();

    private static int bits(float value) {
        return Float.floatToRawIntBits(value);
    }

    private static float apply(IntUnaryOperator function, float value) {
        return Float.intBitsToFloat(function.applyAsInt(bits(value)));
    }

    /** The sum of 1 / (k 2^k). */
    private static BigDecimal ln2() {
        BigDecimal sum = BigDecimal.ZERO;
        for (int k = 1; k < 200; k++) {
            sum = sum.add(BigDecimal.ONE.divide(BigDecimal.TWO.pow(k).multiply(BigDecimal.valueOf(k)), DIGITS));
        }
        return sum;
    }

    private static BigDecimal exp(BigDecimal x) {
        BigDecimal term = BigDecimal.ONE;
        BigDecimal sum = BigDecimal.ONE;
        for (int k = 1; k < 400 && term.signum() != 0; k++) {
            term = term.multiply(x, DIGITS).divide(BigDecimal.valueOf(k), DIGITS);
            sum = sum.add(term, DIGITS);
        }
        return sum;
    }

    /** Sum of x^k / k! for every other k from {@code first} on, signs alternating. */
    private static BigDecimal wave(BigDecimal x, int first) {
        BigDecimal term = first == 0 ? BigDecimal.ONE : x;
        BigDecimal sum = term;
        for (int k = first + 2; k < 120; k += 2) {
            term = term.multiply(x).multiply(x, DIGITS).divide(BigDecimal.valueOf((long) k * (1 - k)), DIGITS);
            sum = sum.add(term, DIGITS);
        }
        return sum;
    }

    /** Within 0.501 units in the last place of the exact value. */
    private static void checkClose(BigDecimal exact, float result, String what) {
        double error = exact.subtract(new BigDecimal(result)).abs().doubleValue();
        assertTrue(error <= 0.501 * Math.ulp(result), () -> what + " became " + result + " instead of " + exact);
    }

    @Test
    void valuesAreRoundedFromTheTruth() {
        Random random = new Random(5);
        for (int i = 0; i < 300; i++) {
            float x = i % 2 == 0 ? random.nextFloat(-20, 20) : random.nextFloat(-1, 1);
            BigDecimal exact = new BigDecimal(x);
            BigDecimal power = exp(exact.multiply(LN_2));
            checkClose(power, apply(Approximations::ex2, x), "ex2 of " + x);
            checkClose(wave(exact, 1), apply(Approximations::sin, x), "sin of " + x);
            checkClose(wave(exact, 0), apply(Approximations::cos, x), "cos of " + x);
            BigDecimal square = exp(exact.add(exact));
            BigDecimal tanh = square.subtract(BigDecimal.ONE).divide(square.add(BigDecimal.ONE), DIGITS);
            checkClose(tanh, apply(Approximations::tanh, x), "tanh of " + x);
            // 2 to the logarithm of y is y again: the error of the one is that of the other times y ln 2.
            float y = Math.abs(x) + 0x1p-20f;
            float log = apply(Approximations::lg2, y);
            BigDecimal back = exp(new BigDecimal(log).multiply(LN_2)).divide(new BigDecimal(y), DIGITS);
            double error = back.subtract(BigDecimal.ONE).abs().doubleValue();
            assertTrue(error <= 0.501 * Math.ulp(log) * 0.6932, () -> "lg2 of " + y + " became " + log);
            BigDecimal root = BigDecimal.ONE.divide(new BigDecimal(y).sqrt(DIGITS), DIGITS);
            checkClose(root, apply(Approximations::rsqrt, y), "rsqrt of " + y);
        }
    }

    @Test
    void powersOfTwoAreExact() {
        for (int k = -149; k < 128; k++) {
            float power = Math.scalb(1f, k);
            assertEquals(power, apply(Approximations::ex2, k));
            assertEquals(k, apply(Approximations::lg2, power));
            assertEquals(k < -127 ? Float.POSITIVE_INFINITY : Math.scalb(1f, -k), apply(Approximations::rcp, power));
            if (k % 2 == 0) {
                assertEquals(Math.scalb(1f, k / 2), apply(Approximations::sqrt, power));
                assertEquals(Math.scalb(1f, -k / 2), apply(Approximations::rsqrt, power));
            }
        }
    }

    @Test
    void edges() {
        float infinity = Float.POSITIVE_INFINITY;
        assertEquals(0, apply(Approximations::ex2, -infinity));
        assertEquals(infinity, apply(Approximations::ex2, 128));
        assertEquals(-infinity, apply(Approximations::lg2, -0.0f));
        assertEquals(infinity, apply(Approximations::lg2, infinity));
        assertEquals(-1, apply(Approximations::tanh, -infinity));
        assertEquals(-infinity, apply(Approximations::rcp, -0.0f));
        assertEquals(-infinity, apply(Approximations::rsqrt, -0.0f));
        assertEquals(0, apply(Approximations::rsqrt, infinity));
        assertEquals(0.5f, Float.intBitsToFloat(Approximations.div(bits(2), bits(4))));
        int[] nans = {Approximations.lg2(bits(-1)), Approximations.sin(bits(infinity)),
                Approximations.cos(bits(infinity)), Approximations.rsqrt(bits(-1)), Approximations.sqrt(bits(-1)),
                Approximations.ex2(0xffc00001), Approximations.tanh(0xffc00001)};
        for (int nan : nans) {
            assertEquals(Floats.NAN, nan);
        }
    }

    @Test
    void everyHalfIsTheRoundedDouble() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float half = Halves.value(bits);
            checkHalf(Math.pow(2, half), Approximations.ex2Half(bits));
            checkHalf(Math.tanh(half), Approximations.tanhHalf(bits));
            float bfloat = Bfloats.value(bits);
            double power = Math.pow(2, bfloat);
            double error = Math.abs(Bfloats.value(Approximations.ex2Bfloat(bits)) - power);
            assertTrue(Double.isNaN(power) || error <= 0x1p-8 * power || power < 0x1p-126 || power >= 0x1.ffp127);
            double tangent = Math.tanh(bfloat);
            error = Math.abs(Bfloats.value(Approximations.tanhBfloat(bits)) - tangent);
            assertTrue(Double.isNaN(tangent) || error <= Math.max(0x1p-8 * Math.abs(tangent), 0x1p-134));
            int pair = bits << 16 | bits ^ 0x8000;
            assertEquals(Approximations.ex2Half(bits) << 16 | Approximations.ex2Half(pair),
                    Approximations.ex2Half2(pair));
            assertEquals(Approximations.tanhHalf(bits) << 16 | Approximations.tanhHalf(pair),
                    Approximations.tanhHalf2(pair));
            assertEquals(Approximations.ex2Bfloat(bits) << 16 | Approximations.ex2Bfloat(pair),
                    Approximations.ex2Bfloat2(pair));
            assertEquals(Approximations.tanhBfloat(bits) << 16 | Approximations.tanhBfloat(pair),
                    Approximations.tanhBfloat2(pair));
        }
    }

    private static void checkHalf(double value, int bits) {
        if (Double.isFinite(value)) {
            Exact.check(Exact.Reference.F16, Rounding.NEAREST, new BigDecimal(value), () -> value, bits, "" + value);
        } else {
            assertEquals(value, Halves.value(bits));
        }
    }
}
