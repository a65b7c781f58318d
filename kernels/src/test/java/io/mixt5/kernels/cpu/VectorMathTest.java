package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.function.UnaryOperator;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("every-width")
class VectorMathTest {
    private static float[] exp(float... x) {
        return apply(VectorMath::exp, x);
    }

    /** What a function of vectors makes of so many floats. */
    static float[] apply(UnaryOperator<FloatVector> function, float... x) {
        float[] y = Arrays.copyOf(x, Math.ceilDiv(x.length, Lanes.FLOATS) * Lanes.FLOATS);
        for (int i = 0; i < y.length; i += Lanes.FLOATS) {
            function.apply(FloatVector.fromArray(Lanes.F, y, i)).intoArray(y, i);
        }
        return Arrays.copyOf(y, x.length);
    }

    @Test
    void expIsCloseToTheTruth() {
        Random random = new Random(1);
        float[] x = new float[1 << 18];
        for (int i = 0; i < x.length; i++) {
            x[i] = i % 2 == 0 ? random.nextFloat(-87.33f, 88.72f) : random.nextFloat(-1, 1);
        }
        float[] y = exp(x);
        double worst = 0;
        for (int i = 0; i < x.length; i++) {
            worst = Math.max(worst, Math.abs(y[i] / Math.exp(x[i]) - 1));
        }
        assertTrue(worst < 1e-7, "largest relative error " + worst);
    }

    @Test
    void expOfSmallIntegersIsRoundedCorrectly() {
        assertEquals(1, exp(0f)[0]);
        assertEquals(1, exp(-0f)[0]);
        assertEquals((float) Math.E, exp(1)[0]);
    }

    @Test
    void expOfWhatHasNoNormalResult() {
        float[] y = exp(Float.NEGATIVE_INFINITY, -Float.MAX_VALUE, -1e5f, -100, -87.34f, 88.73f, 1e5f, Float.MAX_VALUE,
                Float.POSITIVE_INFINITY, Float.NaN);
        float[] expected = {0, 0, 0, 0, 0, Float.POSITIVE_INFINITY, Float.POSITIVE_INFINITY, Float.POSITIVE_INFINITY,
                Float.POSITIVE_INFINITY, Float.NaN};
        assertEquals(Arrays.toString(expected), Arrays.toString(y));
    }

    /** Often enough that the first calls are interpreted and the last ones compiled. */
    @Test
    void sumAddsInOneOrder() {
        Random random = new Random(2);
        float[] x = new float[Lanes.FLOATS];
        for (int call = 0; call < 100_000; call++) {
            for (int i = 0; i < x.length; i++) {
                x[i] = random.nextFloat(-1, 1);
            }
            float[] halves = x.clone();
            for (int n = x.length / 2; n > 0; n /= 2) {
                for (int i = 0; i < n; i++) {
                    halves[i] += halves[i + n];
                }
            }
            assertEquals(halves[0], VectorMath.sum(FloatVector.fromArray(Lanes.F, x, 0)));
        }
    }
}
