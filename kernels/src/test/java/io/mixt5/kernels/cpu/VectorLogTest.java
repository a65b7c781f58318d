package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("every-width")
class VectorLogTest {
    private static float[] log(float... x) {
        return VectorMathTest.apply(VectorLog::log, x);
    }

    /** Over all normal numbers, and where the logarithm is near 0. */
    @Test
    void logIsCloseToTheTruth() {
        Random random = new Random(1);
        float[] x = new float[1 << 18];
        for (int i = 0; i < x.length; i++) {
            x[i] = i % 2 == 0 ? (float) Math.exp(random.nextFloat(-87.33f, 88.72f)) : random.nextFloat(0.5f, 2);
        }
        float[] y = log(x);
        double worst = 0;
        for (int i = 0; i < x.length; i++) {
            double truth = Math.log(x[i]);
            worst = Math.max(worst, truth == 0 ? Math.abs(y[i]) : Math.abs(y[i] / truth - 1));
        }
        assertTrue(worst < 2e-7, "largest relative error " + worst);
    }

    @Test
    void logOfSpecialNumbers() {
        float[] y = log(1, 2, Float.POSITIVE_INFINITY, Float.NaN);
        assertEquals(Arrays.toString(new float[]{0, (float) Math.log(2), Float.POSITIVE_INFINITY, Float.NaN}),
                Arrays.toString(y));
    }
}
