package io.mixt5.kernels.emulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mixt5.ffm.cuda.CudaException;
import io.mixt5.kernels.emulator.sanitizer.Sanitizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;

/**
 * Kernels with one mistake each, compiled by nvcc from planted.cu: the emulator or the sanitizer says what and where it
 * is, and says nothing of the mended twin, whose results are right.
 */
class PlantedBugsTest {
    private static final int THREADS = 64;

    private static String ptx() {
        try (InputStream in = PlantedBugsTest.class.getResourceAsStream("/emulator/planted.ptx")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static TestDevice device() {
        return new TestDevice(EmulatorSettings.DEFAULT.withMonitor(new Sanitizer())).load(ptx());
    }

    private static float[] input() {
        float[] input = new float[4 * THREADS];
        for (int i = 0; i < input.length; i++) {
            input[i] = i;
        }
        return input;
    }

    private interface Kernel {
        void launch(TestDevice device, String suffix);
    }

    /** From {@code input} to {@code out}, one block. */
    private static void inOut(String name, IntToDoubleFunction expected, int line, String message) {
        try (TestDevice device = device()) {
            long out = device.allocate(4 * THREADS);
            device.launch(name + "_mended", 1, THREADS, device.put(input()), out);
            check(expected, device.floats(out, THREADS));
        }
        planted(name, line, message, (device, suffix) -> device.launch(name + suffix, 1, THREADS, device.put(input()),
                device.allocate(4 * THREADS)));
    }

    private static void check(IntToDoubleFunction expected, float[] results) {
        float[] wanted = new float[THREADS];
        for (int i = 0; i < THREADS; i++) {
            wanted[i] = (float) expected.applyAsDouble(i);
        }
        assertArrayEquals(wanted, results);
    }

    private static void planted(String name, int line, String message, Kernel kernel) {
        try (TestDevice device = device()) {
            CudaException failure = assertThrows(CudaException.class, () -> kernel.launch(device, "_planted"));
            assertEquals("kernel " + name + "_planted of test.ptx, PTX line " + line + ", " + message,
                    failure.getCause().getMessage());
        }
    }

    @Test
    void outOfBounds() {
        try (TestDevice device = device()) {
            long out = device.allocate(4 * 100);
            device.launch("outOfBounds_mended", 2, THREADS, out, 100);
            assertEquals(1, device.floats(out, 100)[99]);
        }
        planted("outOfBounds", 0, "", (device, suffix) -> device.launch("outOfBounds" + suffix, 2, THREADS,
                device.allocate(4 * 100), 100));
    }

    @Test
    void misaligned() {
        inOut("misaligned", i -> 16 * i + 6, 0, "");
    }

    @Test
    void missingBarrierBeforeARead() {
        inOut("readAfterWrite", i -> 63 - i, 0, "");
    }

    @Test
    void missingBarrierBeforeAWrite() {
        inOut("writeAfterRead", i -> 2 * (63 - i), 0, "");
    }

    @Test
    void missingSyncwarp() {
        inOut("missingSyncwarp", i -> i ^ 1, 0, "");
    }

    @Test
    void sharedMemoryThatNobodyWrote() {
        inOut("halfInitialised", i -> 63 - i, 0, "");
    }

    @Test
    void deviceMemoryThatNobodyWrote() {
        try (TestDevice device = device()) {
            long out = device.allocate(4 * THREADS);
            device.launch("accumulates_mended", 1, THREADS, out);
            check(i -> 1, device.floats(out, THREADS));
        }
        planted("accumulates", 0, "", (device, suffix) -> device.launch("accumulates" + suffix, 1, THREADS,
                device.allocate(4 * THREADS)));
    }

    @Test
    void shuffleFromALaneThatDoesNotTakePart() {
        try (TestDevice device = device()) {
            float[] zeros = new float[THREADS];
            long out = device.put(zeros);
            device.launch("shuffleFromNobody_mended", 1, THREADS, device.put(input()), out);
            check(i -> i % 32 < 16 ? i ^ 8 : 0, device.floats(out, THREADS));
        }
        planted("shuffleFromNobody", 0, "", (device, suffix) -> device.launch("shuffleFromNobody" + suffix, 1, THREADS,
                device.put(input()), device.allocate(4 * THREADS)));
    }

    @Test
    void barrierThatNotAllReach() {
        inOut("divergentBarrier", i -> 2 * (63 - i), 0, "");
    }

    @Test
    void copyThatNobodyWaitedFor() {
        inOut("copyNotWaitedFor", i -> 63 - i, 0, "");
    }

    @Test
    void copyThatOthersDidNotWaitFor() {
        inOut("copyWithoutBarrier", i -> 63 - i, 0, "");
    }

    @Test
    void blocksThatWriteTheSame() {
        try (TestDevice device = device()) {
            float[] zeros = new float[THREADS];
            long out = device.put(zeros);
            device.launch("blocksCollide_mended", 3, THREADS, out);
            check(i -> 3, device.floats(out, THREADS));
        }
        planted("blocksCollide", 0, "", (device, suffix) -> device.launch("blocksCollide" + suffix, 3, THREADS,
                device.allocate(4 * THREADS)));
    }
}
