package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.Memory;
import java.lang.foreign.Arena;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PanelsTest {
    private static final float GUARD = -77;

    @ParameterizedTest
    @CsvSource({"1,1", "1,8", "8,8", "7,9", "9,7", "16,16", "15,40", "40,33", "64,64", "65,31", "3,100", "100,3"})
    void packsBothOrders(int depth, int width) {
        for (int panel : new int[]{MicroKernel.ROWS, MicroKernel.NARROW, MicroKernel.WIDE, 8, 32}) {
            if (panel % 8 == 0) {
                for (boolean rowMajor : new boolean[]{false, true}) {
                    for (int extra : new int[]{0, 3}) {
                        check(rowMajor, depth, width, panel, extra);
                    }
                }
            }
        }
    }

    private static void check(boolean rowMajor, int depth, int width, int panel, int extra) {
        int lines = rowMajor ? depth : width;
        int stride = (rowMajor ? width : depth) + extra;
        try (Arena arena = Arena.ofConfined()) {
            long source = arena.allocate((long) lines * stride * Float.BYTES, 4).address();
            for (int i = 0; i < lines * stride; i++) {
                Memory.setFloat(source + (long) i * Float.BYTES, i + 1);
            }
            long bytes = Panels.bytes(depth, width, panel);
            long target = arena.allocate(bytes + Float.BYTES, 64).address();
            Memory.setFloat(target + bytes, GUARD);
            Panels.pack(rowMajor, source, stride, depth, width, panel, target);
            for (int j = 0; j < Math.ceilDiv(width, panel) * panel; j++) {
                for (int p = 0; p < depth; p++) {
                    float expected = j >= width ? 0 : 1 + (rowMajor ? p * stride + j : j * stride + p);
                    long place = ((long) j / panel * panel * depth + (long) p * panel + j % panel) * Float.BYTES;
                    assertEquals(expected, Memory.getFloat(target + place), "row " + p + ", column " + j);
                }
            }
            assertEquals(GUARD, Memory.getFloat(target + bytes), "wrote beyond the panels");
        }
    }
}
