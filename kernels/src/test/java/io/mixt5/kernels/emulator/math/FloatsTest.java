package io.mixt5.kernels.emulator.math;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FloatsTest {
    private static final int INFINITY = 0x7f800000;
    private static final int MINUS_ZERO = 0x80000000;
    private static final int CASES = 20_000;

    private final Random random = new Random(1);

    private static int bits(float value) {
        return Float.floatToRawIntBits(value);
    }

    private static void check(Rounding rounding, BigDecimal exact, double zero, int result, String what) {
        Exact.check(Exact.Reference.F32, rounding, exact, () -> zero, result & 0xffffffffL, what);
    }

    /** Of zeros with the same sign that, otherwise plus, but minus when rounding down. */
    private static double zeroSum(double x, double y, Rounding rounding) {
        boolean same = x == 0 && y == 0 && 1 / x == 1 / y;
        return same ? x : rounding == Rounding.DOWN ? -0.0 : 0.0;
    }

    @Test
    void resultsAreTheExactOnesRoundedOnce() {
        for (int i = 0; i < CASES; i++) {
            float x = Exact.next(random, 1);
            float y = Exact.next(random, x);
            float z = Exact.next(random, -(x * y));
            if (!Float.isFinite(x) || !Float.isFinite(y) || !Float.isFinite(z)) {
                continue;
            }
            BigDecimal a = new BigDecimal(x);
            BigDecimal b = new BigDecimal(y);
            BigDecimal c = new BigDecimal(z);
            String of = x + ", " + y + ", " + z;
            for (Rounding mode : Exact.MODES) {
                check(mode, a.add(b), zeroSum(x, y, mode), Floats.add(bits(x), bits(y), mode), "sum of " + of);
                check(mode, a.subtract(b), zeroSum(x, -y, mode), Floats.sub(bits(x), bits(y), mode),
                        "difference of " + of);
                check(mode, a.multiply(b), x * y, Floats.mul(bits(x), bits(y), mode), "product of " + of);
                double product = (double) x * y;
                check(mode, a.multiply(b).add(c), zeroSum(product, z, mode),
                        Floats.fma(bits(x), bits(y), bits(z), mode),
                        "fma of " + of);
                if (y != 0) {
                    // More digits than decide; what is left out is not 0, and must not look like a tie.
                    BigDecimal quotient = a.divide(b, new MathContext(120));
                    check(mode, quotient, x / y, Floats.div(bits(x), bits(y), mode), "quotient of " + of);
                    check(mode, BigDecimal.ONE.divide(b, new MathContext(120)), 1, Floats.rcp(bits(y), mode),
                            "reciprocal of " + y);
                }
                if (x >= 0) {
                    check(mode, a.sqrt(new MathContext(120)), x, Floats.sqrt(bits(x), mode), "root of " + x);
                }
            }
        }
    }

    @Test
    void shortFormsRoundToNearest() {
        for (int i = 0; i < CASES; i++) {
            int x = random.nextInt();
            int y = bits(Exact.next(random, Float.intBitsToFloat(x)));
            int z = bits(Exact.next(random, Float.intBitsToFloat(x) * Float.intBitsToFloat(y)));
            assertEquals(Floats.add(x, y, Rounding.NEAREST), Floats.add(x, y));
            assertEquals(Floats.fma(x, y, z, Rounding.NEAREST), Floats.fma(x, y, z));
            assertEquals(bits(Float.intBitsToFloat(x) / Float.intBitsToFloat(y)) & 0x7f800000,
                    Floats.div(x, y) & 0x7f800000);
        }
    }

    @Test
    void nanIsCanonical() {
        int other = 0xffc01234;
        for (Rounding mode : Exact.MODES) {
            assertEquals(Floats.NAN, Floats.add(other, bits(1), mode));
            assertEquals(Floats.NAN, Floats.sub(INFINITY, INFINITY, mode));
            assertEquals(Floats.NAN, Floats.mul(0, INFINITY, mode));
            assertEquals(Floats.NAN, Floats.fma(INFINITY, bits(1), bits(Float.NEGATIVE_INFINITY), mode));
            assertEquals(Floats.NAN, Floats.div(0, 0, mode));
            assertEquals(Floats.NAN, Floats.sqrt(bits(-1), mode));
            assertEquals(Floats.NAN, Floats.rcp(other, mode));
        }
    }

    @Test
    void infinitiesAreExact() {
        for (Rounding mode : Exact.MODES) {
            assertEquals(INFINITY, Floats.add(INFINITY, bits(-1), mode));
            assertEquals(INFINITY, Floats.mul(INFINITY, bits(2), mode));
            assertEquals(INFINITY, Floats.div(bits(1), 0, mode));
            assertEquals(INFINITY | MINUS_ZERO, Floats.rcp(MINUS_ZERO, mode));
            assertEquals(0, Floats.rcp(INFINITY, mode));
            assertEquals(MINUS_ZERO, Floats.div(bits(-1), INFINITY, mode));
            assertEquals(INFINITY, Floats.sqrt(INFINITY, mode));
            assertEquals(MINUS_ZERO, Floats.sqrt(MINUS_ZERO, mode));
        }
    }

    @Test
    void minAndMaxPreferNumbers() {
        int nan = 0x7fc00001;
        assertEquals(bits(3), Floats.min(nan, bits(3)));
        assertEquals(bits(3), Floats.max(bits(3), nan));
        assertEquals(Floats.NAN, Floats.min(nan, nan));
        assertEquals(MINUS_ZERO, Floats.min(0, MINUS_ZERO));
        assertEquals(0, Floats.max(MINUS_ZERO, 0));
        assertEquals(bits(-2), Floats.min(bits(1), bits(-2)));
        assertEquals(bits(1), Floats.max(bits(1), bits(-2)));
        assertEquals(Floats.NAN, Floats.minNan(nan, bits(3)));
        assertEquals(Floats.NAN, Floats.maxNan(bits(3), nan));
        assertEquals(bits(-2), Floats.minNan(bits(1), bits(-2)));
        assertEquals(bits(1), Floats.maxNan(bits(1), bits(-2)));
    }

    @Test
    void signsFlushingAndSaturation() {
        assertEquals(MINUS_ZERO, Floats.neg(0));
        assertEquals(bits(2), Floats.abs(bits(-2)));
        assertEquals(bits(-3), Floats.copysign(bits(-1), bits(3)));
        assertEquals(MINUS_ZERO, Floats.flush(0x807fffff));
        assertEquals(0x00800000, Floats.flush(0x00800000));
        assertEquals(Floats.NAN, Floats.flush(Floats.NAN));
        assertEquals(0, Floats.saturate(Floats.NAN));
        assertEquals(0, Floats.saturate(MINUS_ZERO));
        assertEquals(bits(1), Floats.saturate(INFINITY));
        assertEquals(bits(0.25f), Floats.saturate(bits(0.25f)));
        assertEquals(0, Floats.saturate(bits(-4)));
    }

    @Test
    void comparisonsAreOrderedOrNot() {
        double nan = Double.NaN;
        String[] names = {"eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"};
        String less = "ne lt le neu ltu leu num";
        String equal = "eq le ge equ leu geu num";
        String greater = "ne gt ge neu gtu geu num";
        String unordered = "equ neu ltu leu gtu geu nan";
        for (String name : names) {
            Comparison comparison = Comparison.of(name);
            String padded = " " + name + " ";
            assertEquals((" " + less + " ").contains(padded), comparison.test(1, 2), name);
            assertEquals((" " + equal + " ").contains(padded), comparison.test(-0.0, 0.0), name);
            assertEquals((" " + greater + " ").contains(padded), comparison.test(2, 1), name);
            assertEquals((" " + unordered + " ").contains(padded), comparison.test(nan, 1), name);
            assertEquals((" " + unordered + " ").contains(padded), comparison.test(1, nan), name);
        }
        assertEquals(null, Comparison.of("rn"));
    }
}
