package io.mixt5.kernels.emulator.math;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DoublesTest {
    private final Random random = new Random(2);

    private static long bits(double value) {
        return Double.doubleToRawLongBits(value);
    }

    private double next(double near) {
        double[] special = {0, -0.0, 1, Double.MIN_VALUE, -Double.MIN_VALUE, Double.MAX_VALUE, -Double.MAX_VALUE};
        return switch (random.nextInt(5)) {
            case 0 -> special[random.nextInt(special.length)];
            case 1 -> -near;
            case 2 -> Math.scalb(near, random.nextInt(-60, 60)) * 1.25;
            case 3 -> random.nextGaussian();
            default -> Double.longBitsToDouble(random.nextLong());
        };
    }

    private static void check(Rounding rounding, BigDecimal exact, double zero, long result, String what) {
        Exact.check(Exact.Reference.F64, rounding, exact, () -> zero, result, what);
    }

    @Test
    void resultsAreTheExactOnesRoundedOnce() {
        for (int i = 0; i < 20_000; i++) {
            double x = next(1);
            double y = next(x);
            double z = next(-(x * y));
            if (!Double.isFinite(x) || !Double.isFinite(y) || !Double.isFinite(z)) {
                continue;
            }
            BigDecimal a = new BigDecimal(x);
            BigDecimal b = new BigDecimal(y);
            BigDecimal c = new BigDecimal(z);
            String of = x + ", " + y + ", " + z;
            for (Rounding mode : Exact.MODES) {
                double cancelled = mode == Rounding.DOWN ? -0.0 : 0.0;
                check(mode, a.add(b), bits(x) == bits(y) ? x : cancelled, Doubles.add(bits(x), bits(y), mode),
                        "sum of " + of);
                check(mode, a.subtract(b), bits(x) == bits(-y) ? x : cancelled, Doubles.sub(bits(x), bits(y), mode),
                        "difference of " + of);
                check(mode, a.multiply(b), x * y, Doubles.mul(bits(x), bits(y), mode), "product of " + of);
                boolean zeros = (x == 0 || y == 0) && z == 0 && 1 / (x * y) == 1 / z;
                check(mode, a.multiply(b).add(c), zeros ? z : cancelled, Doubles.fma(bits(x), bits(y), bits(z), mode),
                        "fma of " + of);
            }
        }
    }

    @Test
    void theRestIsIeee() {
        assertEquals(bits(1 / 3.0), Doubles.div(bits(1), bits(3)));
        assertEquals(bits(1 / 3.0), Doubles.rcp(bits(3)));
        assertEquals(bits(Math.sqrt(2)), Doubles.sqrt(bits(2)));
        assertEquals(bits(0.5), Doubles.rsqrt(bits(4)));
        assertEquals(bits(3), Doubles.min(bits(Double.NaN), bits(3)));
        assertEquals(bits(3), Doubles.max(bits(3), bits(Double.NaN)));
        assertEquals(bits(-0.0), Doubles.min(bits(0.0), bits(-0.0)));
        assertEquals(bits(0.0), Doubles.max(bits(0.0), bits(-0.0)));
        long infinity = bits(Double.POSITIVE_INFINITY);
        assertEquals(infinity, Doubles.add(infinity, bits(1), Rounding.DOWN));
        assertEquals(infinity, Doubles.fma(bits(1), bits(1), infinity, Rounding.DOWN));
        assertTrue(Double.isNaN(Double.longBitsToDouble(Doubles.mul(infinity, 0, Rounding.UP))));
    }
}
