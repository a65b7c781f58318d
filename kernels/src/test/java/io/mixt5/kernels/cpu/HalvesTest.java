package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.fail;

import io.mixt5.engine.DType;
import io.mixt5.engine.Memory;
import io.mixt5.engine.Philox;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The vector conversions against the scalar ones. */
@Tag("every-width")
class HalvesTest {
    private final Arena arena = Arena.ofAuto();
    private final long floats = arena.allocate(4L * Lanes.FLOATS, 64).address();
    private final long halves = arena.allocate(2L * Lanes.FLOATS, 64).address();
    private final long expected = arena.allocate(2, 2).address();

    @Test
    void everyHalfBecomesItsFloat() {
        for (int first = 0; first < 1 << 16; first += Lanes.FLOATS) {
            for (int i = 0; i < Lanes.FLOATS; i++) {
                Memory.setShort(halves + 2L * i, (short) (first + i));
            }
            Floats.store(floats, Halves.loadF16(halves));
            checkFloats(DType.F16);
            Floats.store(floats, Halves.loadBf16(halves));
            checkFloats(DType.BF16);
        }
    }

    private void checkFloats(DType dtype) {
        for (int i = 0; i < Lanes.FLOATS; i++) {
            double value = dtype.load(halves + 2L * i);
            if (Double.compare(value, Memory.getFloat(floats + 4L * i)) != 0) {
                fail(dtype + " " + Integer.toHexString(Memory.getShort(halves + 2L * i) & 0xffff) + " became "
                        + Memory.getFloat(floats + 4L * i) + " instead of " + value);
            }
        }
    }

    @Test
    void floatsRoundToNearestEven() {
        // Around every bfloat16, and by that around every F16: at, just below and just above ties.
        int[] ends = {0, 1, 0x0fff, 0x1000, 0x1001, 0x2fff, 0x3000, 0x3001, 0x7fff, 0x8000, 0x8001, 0xdfff, 0xefff,
                0xf000, 0xf001, 0xffff};
        for (int high = 0; high < 1 << 16; high++) {
            for (int first = 0; first < ends.length; first += Lanes.FLOATS) {
                for (int i = 0; i < Lanes.FLOATS; i++) {
                    Memory.setInt(floats + 4L * i, high << 16 | ends[first + i]);
                }
                checkHalves();
            }
        }
    }

    @Test
    void randomFloatsRoundToNearestEven() {
        for (int first = 0; first < 1 << 19; first += Lanes.FLOATS) {
            for (int i = 0; i < Lanes.FLOATS; i++) {
                Memory.setInt(floats + 4L * i, Philox.bits(1, 2, 3, first + i));
            }
            checkHalves();
        }
    }

    private void checkHalves() {
        Halves.storeF16(halves, Floats.load(floats));
        checkHalves(DType.F16);
        Halves.storeBf16(halves, Floats.load(floats));
        checkHalves(DType.BF16);
    }

    private void checkHalves(DType dtype) {
        for (int i = 0; i < Lanes.FLOATS; i++) {
            float value = Memory.getFloat(floats + 4L * i);
            dtype.store(expected, value);
            boolean same = Float.isNaN(value)
                    ? Double.isNaN(dtype.load(halves + 2L * i))
                    : Memory.getShort(expected) == Memory.getShort(halves + 2L * i);
            if (!same) {
                fail(value + " became " + dtype.load(halves + 2L * i) + " instead of " + dtype.load(expected));
            }
        }
    }
}
