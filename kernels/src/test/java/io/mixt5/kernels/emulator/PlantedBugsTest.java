package io.mixt5.kernels.emulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mixt5.ffm.cuda.CudaException;
import io.mixt5.kernels.emulator.sanitizer.Sanitizer;
import java.util.function.IntToDoubleFunction;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Kernels with one mistake each, compiled by nvcc from planted.cu: the emulator or the sanitizer says what and where it
 * is, and says nothing of the mended twin, whose results are right.
 */
class PlantedBugsTest {
    private static final int THREADS = 64;
    private static final String PTX = PtxResource.read("planted.ptx");
    private static final String MISSING = "; a __syncthreads or, within a warp, a __syncwarp is missing between the"
            + " two";
    private static final Pattern LINE = Pattern.compile("line (\\d+)");

    private static TestDevice device() {
        return new TestDevice(EmulatorSettings.DEFAULT.withMonitor(new Sanitizer())).load(PTX);
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
    private static void inOut(String name, IntToDoubleFunction expected, String message) {
        try (TestDevice device = device()) {
            long out = device.allocate(4 * THREADS);
            device.launch(name + "_mended", 1, THREADS, device.put(input()), out);
            check(expected, device.floats(out, THREADS));
        }
        planted(name, message, (device, suffix) -> device.launch(name + suffix, 1, THREADS, device.put(input()),
                device.allocate(4 * THREADS)));
    }

    private static void check(IntToDoubleFunction expected, float[] results) {
        float[] wanted = new float[THREADS];
        for (int i = 0; i < THREADS; i++) {
            wanted[i] = (float) expected.applyAsDouble(i);
        }
        assertArrayEquals(wanted, results);
    }

    /** In the message, numbers of lines are replaced by the instructions that stand there. */
    private static void planted(String name, String message, Kernel kernel) {
        try (TestDevice device = device()) {
            CudaException failure = assertThrows(CudaException.class, () -> kernel.launch(device, "_planted"));
            String[] lines = PTX.split("\n");
            String told = LINE.matcher(failure.getCause().getMessage()).replaceAll(
                    line -> "line " + lines[Integer.parseInt(line.group(1)) - 1].trim().split("[ \t;]")[0]);
            assertEquals("kernel " + name + "_planted of test.ptx, PTX line " + message, told);
        }
    }

    @Test
    void outOfBounds() {
        try (TestDevice device = device()) {
            long out = device.allocate(4 * 100);
            device.launch("outOfBounds_mended", 2, THREADS, out, 100);
            assertEquals(1, device.floats(out, 100)[99]);
        }
        planted("outOfBounds",
                "st.global.u32, block (1, 0, 0), thread (36, 0, 0): st.global.u32 writes 4 bytes at 0x700000190,"
                        + " which is not allowed: the allocation before it has 400 bytes and begins 400 bytes before"
                        + " it",
                (device, suffix) -> device.launch("outOfBounds" + suffix, 2, THREADS,
                        device.allocate(4 * 100), 100));
    }

    @Test
    void misaligned() {
        inOut("misaligned", i -> 16 * i + 6,
                "ld.global.v4.f32, block (0, 0, 0), thread (1, 0, 0): ld.global.v4.f32 reads 16"
                        + " bytes at 0x700000004, which is not allowed: the address is no multiple of 16");
    }

    @Test
    void missingBarrierBeforeARead() {
        inOut("readAfterWrite", i -> i / 2,
                "ld.volatile.shared.f32, block (0, 0, 0), thread (1, 0, 0): reads byte 0 of shared"
                        + " memory, which thread (0, 0, 0) at line st.volatile.shared.f32 wrote" + MISSING);
    }

    @Test
    void missingBarrierBeforeAWrite() {
        inOut("writeAfterRead", i -> 2 * (i ^ 1),
                "st.volatile.shared.f32, block (0, 0, 0), thread (0, 0, 0): writes byte 0 of"
                        + " shared memory, which thread (1, 0, 0) at line ld.volatile.shared.f32 read" + MISSING);
    }

    @Test
    void missingSyncwarp() {
        inOut("missingSyncwarp", i -> i ^ 1,
                "ld.volatile.shared.f32, block (0, 0, 0), thread (0, 0, 0): reads byte 4 of shared"
                        + " memory, which thread (1, 0, 0) at line st.volatile.shared.f32 wrote" + MISSING);
    }

    @Test
    void sharedMemoryThatNobodyWrote() {
        inOut("halfInitialised", i -> 63 - i,
                "ld.volatile.shared.f32, block (0, 0, 0), thread (0, 0, 0): reads byte 252 of"
                        + " shared memory, which nothing has written so far; if another thread is to, a __syncthreads"
                        + " is missing");
    }

    @Test
    void deviceMemoryThatNobodyWrote() {
        try (TestDevice device = device()) {
            long out = device.allocate(4 * THREADS);
            device.launch("accumulates_mended", 1, THREADS, out);
            check(i -> 1, device.floats(out, THREADS));
        }
        planted("accumulates", "ld.global.f32, block (0, 0, 0), thread (0, 0, 0): reads byte 0 of the 256 allocated at"
                + " 0x700000000, which nothing has written",
                (device, suffix) -> device.launch("accumulates" + suffix, 1, THREADS,
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
        planted("shuffleFromNobody",
                "shfl.sync.bfly.b32, block (0, 0, 0), thread (0, 0, 0): takes a value from lane 16,"
                        + " which does not take part in the shuffle; lanes 0xffff do",
                (device, suffix) -> device.launch("shuffleFromNobody" + suffix, 1, THREADS,
                        device.put(input()), device.allocate(4 * THREADS)));
    }

    @Test
    void barrierThatNotAllReach() {
        inOut("divergentBarrier", i -> 2 * (63 - i),
                "bar.sync, block (0, 0, 0), thread (48, 0, 0): waits at a __syncthreads"
                        + " while other threads of the block wait at another one, at line bar.sync; all threads of a"
                        + " block must come to the same one");
    }

    @Test
    void copyThatNobodyWaitedFor() {
        inOut("copyNotWaitedFor", i -> 63 - i,
                "ld.shared.f32, block (0, 0, 0), thread (0, 0, 0): reads byte 252 of shared"
                        + " memory, which the cp.async of thread (63, 0, 0) at line cp.async.ca.shared.global may still"
                        + " be writing; wait for it by cp.async.wait_group, and let threads other than its own wait at"
                        + " a __syncthreads after that");
    }

    @Test
    void copyThatOthersDidNotWaitFor() {
        inOut("copyWithoutBarrier", i -> 63 - i,
                "ld.shared.f32, block (0, 0, 0), thread (0, 0, 0): reads byte 252 of shared"
                        + " memory, which nothing has written so far; if another thread is to, a __syncthreads is"
                        + " missing");
    }

    @Test
    void blocksThatWriteTheSame() {
        try (TestDevice device = device()) {
            float[] zeros = new float[THREADS];
            long out = device.put(zeros);
            device.launch("blocksCollide_mended", 3, THREADS, out);
            check(i -> 3, device.floats(out, THREADS));
        }
        planted("blocksCollide",
                "st.global.f32, block (1, 0, 0), thread (0, 0, 0): writes byte 0 of the 256 allocated at"
                        + " 0x700000000, which thread (0, 0, 0) of block (0, 0, 0) at line st.global.f32 wrote; blocks"
                        + " of one launch run in any order",
                (device, suffix) -> device.launch("blocksCollide" + suffix, 3, THREADS,
                        device.allocate(4 * THREADS)));
    }
}
