package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.Dropout;
import io.mixt5.engine.Memory;
import io.mixt5.engine.RandomStream;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("every-width")
class VectorPhiloxTest {
    private static final int GUARD = 0x55555555;

    @Test
    void equalsTheScalarGeneratorBitForBit() {
        check(new Dropout(0.1f, 7L << 40 | 9, 2, 8), 0, 1000);
        check(new Dropout(0.9f, -1, -1, -1), 4, 333);
        check(new Dropout(0.5f, Long.MIN_VALUE, Integer.MIN_VALUE, Integer.MAX_VALUE), 1 << 20, 65);
    }

    @Test
    void carriesIntoTheUpperWordOfTheCounter() {
        check(new Dropout(0.3f, 3, 4, 5), (1L << 34) - 64, 128);
        check(new Dropout(0.3f, 3, 4, 5), 1L << 45, 64);
    }

    @Test
    void keepsEverythingWhenInactive() {
        check(Dropout.NONE, 0, 64);
    }

    @Test
    void keepsNearlyNothingAtTheHighestRate() {
        check(new Dropout(Math.nextDown(1f), 1, 1, 1), 0, 64);
    }

    @Test
    void writesWholeGroupsAndNoMore() {
        Dropout dropout = new Dropout(0.25f, 1, 2, 3);
        for (int n : new int[]{0, 1, 4, VectorPhilox.GROUP - 1, VectorPhilox.GROUP, VectorPhilox.GROUP + 1}) {
            check(dropout, 8, n);
        }
    }

    @Test
    void uniformsEqualTheScalarGeneratorBitForBit() {
        RandomStream stream = new RandomStream(7L << 40 | 9, -2, 8);
        int n = 1000;
        try (Arena arena = Arena.ofConfined()) {
            long address = arena.allocate(4L * (n + VectorPhilox.GROUP), 64).address();
            VectorPhilox.uniforms(stream, 12, n, address);
            for (int i = 0; i < n; i++) {
                assertEquals(stream.uniform(12 + i), Memory.getFloat(address + 4L * i), "element " + (12 + i));
            }
        }
    }

    private static void check(Dropout dropout, long first, int n) {
        int written = (n + VectorPhilox.GROUP - 1) / VectorPhilox.GROUP * VectorPhilox.GROUP;
        try (Arena arena = Arena.ofConfined()) {
            long address = arena.allocate(4L * (written + 1), 64).address();
            Memory.setInt(address + 4L * written, GUARD);
            VectorPhilox.factors(dropout, first, n, address);
            for (int i = 0; i < written; i++) {
                assertEquals(dropout.factor(first + i), Memory.getFloat(address + 4L * i), "element " + (first + i));
            }
            assertEquals(GUARD, Memory.getInt(address + 4L * written), "after the last group");
        }
    }
}
