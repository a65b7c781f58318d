package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.Memory;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("every-width")
class TransposeTest {
    private static final int MOST = 19;
    private static final int UNTOUCHED = -7;

    /** Whole tiles, parts of them, and rows longer than the matrix, behind which nothing is written. */
    @Test
    void movesEveryNumberAndNoOther() {
        try (Arena arena = Arena.ofConfined()) {
            long source = arena.allocate(4L * MOST * MOST, 4).address();
            long target = arena.allocate(4L * MOST * MOST, 4).address();
            for (int i = 0; i < MOST * MOST; i++) {
                // Also the bits of a signalling NaN have to arrive.
                Memory.setInt(source + 4L * i, 0x7f800000 + i);
            }
            for (int rows = 0; rows <= MOST; rows++) {
                for (int columns = 0; columns <= MOST; columns++) {
                    check(source, target, rows, columns);
                }
            }
        }
    }

    private static void check(long source, long target, int rows, int columns) {
        for (int i = 0; i < MOST * MOST; i++) {
            Memory.setInt(target + 4L * i, UNTOUCHED);
        }
        Transpose.run(source, MOST, target, MOST, rows, columns);
        for (int row = 0; row < MOST; row++) {
            for (int column = 0; column < MOST; column++) {
                int expected = row < rows && column < columns ? 0x7f800000 + row * MOST + column : UNTOUCHED;
                assertEquals(expected, Memory.getInt(target + 4L * (column * MOST + row)),
                        rows + " rows, " + columns + " columns");
            }
        }
    }
}
