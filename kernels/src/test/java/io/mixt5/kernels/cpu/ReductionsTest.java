package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.Memory;
import io.mixt5.engine.Philox;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("every-width")
class ReductionsTest {
    private static final float INFINITY = Float.POSITIVE_INFINITY;

    private final Arena arena = Arena.ofAuto();

    /** Copies the values to raw memory, a NaN right behind them. */
    private long floats(float... values) {
        long address = arena.allocate(4L * values.length + 4, 64).address();
        MemorySegment.copy(MemorySegment.ofArray(values), 0, Memory.ALL, address, 4L * values.length);
        Memory.setFloat(address + 4L * values.length, Float.NaN);
        return address;
    }

    private static float[] normal(int n) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) (3 * Philox.normal(5, 6, 7, i));
        }
        return values;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 15, 16, 17, 64, 100, 2047, 2048, 2049, 5000})
    void equalPlainLoops(int n) {
        float[] values = normal(n);
        double max = Double.NEGATIVE_INFINITY;
        double squares = 0;
        double fourthPowers = 0;
        double exponentials = 0;
        for (float value : values) {
            max = Math.max(max, value);
            squares += (double) value * value;
            fourthPowers += Math.pow(value, 4);
            exponentials += Math.exp(value);
        }
        long address = floats(values);
        assertEquals(max, Reductions.max(address, n));
        assertEquals(squares, Reductions.sumOfSquares(address, n), 1e-6 * squares);
        assertEquals(fourthPowers, Reductions.sumOfSquaredProducts(address, address, n), 1e-6 * fourthPowers);
        assertEquals(Math.log(exponentials), Reductions.logSumExp(address, n), 1e-6);
    }

    @Test
    void nothingSumsToNothing() {
        assertEquals(0, Reductions.sumOfSquares(floats(), 0));
        assertEquals(-INFINITY, Reductions.max(floats(), 0));
        assertEquals(-INFINITY, Reductions.logSumExp(floats(), 0));
    }

    @Test
    void logSumExpNeitherOverflowsNorUnderflows() {
        assertEquals(3e38, Reductions.logSumExp(floats(3e38f, -3e38f), 2), 1e31);
        assertEquals(-1000 + Math.log(2), Reductions.logSumExp(floats(-1000, -1000), 2), 1e-9);
    }

    @Test
    void logSumExpOfAStretchThatIsMaskedOut() {
        float[] values = normal(5000);
        java.util.Arrays.fill(values, 0, 4000, -INFINITY);
        double sum = 0;
        for (int i = 4000; i < values.length; i++) {
            sum += Math.exp(values[i]);
        }
        assertEquals(Math.log(sum), Reductions.logSumExp(floats(values), values.length), 1e-6);
        assertEquals(-INFINITY, Reductions.logSumExp(floats(-INFINITY, -INFINITY), 2));
    }

    @Test
    void aNanReachesTheSumsButNotTheMaximum() {
        float[] values = normal(100);
        values[37] = Float.NaN;
        values[0] = 1e6f;
        long address = floats(values);
        assertEquals(1e6f, Reductions.max(address, 100));
        assertEquals(Double.NaN, Reductions.logSumExp(address, 100));
        assertEquals(Double.NaN, Reductions.sumOfSquares(address, 100));
    }
}
