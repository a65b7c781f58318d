package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DropoutTest {
    @Test
    void noneKeepsEverything() {
        assertFalse(Dropout.NONE.active());
        assertEquals(0, Dropout.NONE.threshold());
        for (int i = 0; i < 100; i++) {
            assertEquals(1, Dropout.NONE.factor(i));
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {0.01f, 0.1f, 0.5f, 0.9f})
    void dropsAtItsRateAndKeepsTheMean(float rate) {
        Dropout dropout = new Dropout(rate, 11, 2, 3);
        assertTrue(dropout.active());
        int n = 1 << 16;
        int dropped = 0;
        double sum = 0;
        for (int i = 0; i < n; i++) {
            float factor = dropout.factor(i);
            assertTrue(factor == 0 || factor == dropout.scale());
            dropped += factor == 0 ? 1 : 0;
            sum += factor;
        }
        double deviation = Math.sqrt(rate * (1 - rate) / n);
        assertEquals(rate, (double) dropped / n, 6 * deviation);
        assertEquals(1, sum / n, 6 * deviation / (1 - rate));
    }

    @Test
    void decidesByTheUpperBits() {
        Dropout dropout = new Dropout(0.3f, 7L << 40 | 9, 2, 8);
        assertEquals(Math.round(0.3f * (1 << 24)), dropout.threshold());
        for (int i = 0; i < 1000; i++) {
            boolean kept = Philox.bits(7L << 40 | 9, 2, 8, i) >>> 8 >= dropout.threshold();
            assertEquals(kept ? 1 / 0.7f : 0, dropout.factor(i), 1e-6f);
        }
    }

    @Test
    void isAPureFunction() {
        for (int i = 0; i < 100; i++) {
            assertEquals(new Dropout(0.5f, 1, 2, 3).factor(i), new Dropout(0.5f, 1, 2, 3).factor(i));
        }
    }

    @Test
    void theLargestRateStillKeepsSome() {
        Dropout dropout = new Dropout(Math.nextDown(1f), 1, 0, 0);
        assertEquals((1 << 24) - 1, dropout.threshold());
        assertTrue(Float.isFinite(dropout.scale()));
    }

    @ParameterizedTest
    @ValueSource(floats = {-0.1f, 1, 1.5f, Float.NaN})
    void ratesOutsideAreRefused(float rate) {
        var error = assertThrows(IllegalArgumentException.class, () -> new Dropout(rate, 0, 0, 0));
        assertTrue(error.getMessage().contains(String.valueOf(rate)), error.getMessage());
    }
}
