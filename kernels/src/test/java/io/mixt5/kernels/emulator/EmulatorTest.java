package io.mixt5.kernels.emulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Memory;
import io.mixt5.ffm.cuda.CudaDriver;
import io.mixt5.ffm.cuda.CudaException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** The emulator as a driver: handles, memory, what it refuses. */
class EmulatorTest {
    private static CudaException assertFails(int status, Executable call) {
        CudaException failure = assertThrows(CudaException.class, call);
        assertEquals(status, failure.status(), failure.getMessage());
        return failure;
    }

    private static Emulator current(EmulatorSettings settings) {
        Emulator emulator = new Emulator(settings);
        emulator.makeCurrent(emulator.retainPrimaryContext(0));
        return emulator;
    }

    @Test
    void describesItsDevices() {
        Emulator emulator = new Emulator(
                EmulatorSettings.DEFAULT.withDevices(2).withCapability(75).withMemory(1 << 20));
        assertEquals(12000, emulator.version());
        assertEquals(2, emulator.deviceCount());
        assertTrue(emulator.deviceName(1).contains("emulator"));
        assertEquals(7, emulator.deviceAttribute(1, CudaDriver.CAPABILITY_MAJOR));
        assertEquals(5, emulator.deviceAttribute(0, CudaDriver.CAPABILITY_MINOR));
        assertEquals(65536, emulator.deviceAttribute(0, CudaDriver.SHARED_MEMORY_PER_BLOCK));
        assertTrue(emulator.deviceAttribute(0, CudaDriver.MULTIPROCESSORS) > 0);
        assertEquals(1 << 20, emulator.totalMemory(1));
        assertFails(CudaException.INVALID_DEVICE, () -> emulator.deviceName(2));
        assertFails(CudaException.INVALID_DEVICE, () -> emulator.retainPrimaryContext(-1));
        assertEquals(0, new Emulator(EmulatorSettings.DEFAULT.withDevices(0)).deviceCount());
    }

    @Test
    void contextsAreSharedAndGivenBack() {
        Emulator emulator = new Emulator();
        assertThrows(CudaException.class, () -> emulator.allocate(1));
        assertFails(CudaException.INVALID_HANDLE, () -> emulator.makeCurrent(1));
        long context = emulator.retainPrimaryContext(0);
        assertEquals(context, emulator.retainPrimaryContext(0));
        emulator.makeCurrent(context);
        emulator.free(emulator.allocate(1));
        emulator.releasePrimaryContext(0);
        emulator.free(emulator.allocate(1));
        emulator.makeCurrent(0);
        assertThrows(CudaException.class, () -> emulator.allocate(1));
        emulator.makeCurrent(context);
        emulator.releasePrimaryContext(0);
        assertThrows(CudaException.class, () -> emulator.allocate(1));
        assertFails(CudaException.INVALID_VALUE, () -> emulator.releasePrimaryContext(0));
    }

    @Test
    void memoryIsCountedAlignedAndChecked() {
        Emulator emulator = current(EmulatorSettings.DEFAULT.withMemory(10_000));
        long a = emulator.allocate(1000);
        long b = emulator.allocate(5000);
        assertEquals(0, a % 256);
        assertEquals(0, b % 256);
        assertEquals(10_000 - 1024 - 5120, emulator.freeMemory());
        assertFails(CudaException.OUT_OF_MEMORY, () -> emulator.allocate(4000));
        assertFails(CudaException.INVALID_VALUE, () -> emulator.allocate(0));
        emulator.free(b);
        emulator.allocate(4000);
        assertFails(CudaException.INVALID_VALUE, () -> emulator.free(b));
        assertFails(CudaException.INVALID_VALUE, () -> emulator.free(a + 256));
        assertFails(CudaException.INVALID_VALUE, () -> emulator.fill(a, (byte) 0, 1001, 0));
        assertFails(CudaException.INVALID_VALUE, () -> emulator.fill(a - 1, (byte) 0, 10, 0));
        emulator.fill(a + 1000, (byte) 0, 0, 0);
    }

    @Test
    void memoryIsCopied() {
        Emulator emulator = current(EmulatorSettings.DEFAULT);
        long stream = emulator.createStream();
        long host = emulator.allocateHost(64);
        MemorySegment segment = Memory.ALL.asSlice(host, 64);
        for (int i = 0; i < 16; i++) {
            segment.setAtIndex(ValueLayout.JAVA_INT, i, i);
        }
        long device = emulator.allocate(64);
        emulator.upload(host, device, 64, stream);
        emulator.copy(device, device + 32, 32, stream);
        emulator.fill(device + 4, (byte) 1, 4, stream);
        emulator.download(device, host, 64, stream);
        emulator.synchronize(stream);
        assertArrayEquals(new int[]{0, 0x01010101, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7},
                segment.toArray(ValueLayout.JAVA_INT));
        emulator.freeHost(host);
        assertFails(CudaException.INVALID_VALUE, () -> emulator.freeHost(host));
        emulator.destroyStream(stream);
        assertFails(CudaException.INVALID_HANDLE, () -> emulator.synchronize(stream));
    }

    @Test
    void eventsTakeTheTime() {
        Emulator emulator = current(EmulatorSettings.DEFAULT);
        long first = emulator.createEvent(true);
        long second = emulator.createEvent(true);
        long untimed = emulator.createEvent(false);
        assertFails(CudaException.INVALID_HANDLE, () -> emulator.elapsed(first, second));
        emulator.record(first, 0);
        emulator.await(0, first);
        emulator.record(second, 0);
        emulator.record(untimed, 0);
        assertTrue(emulator.elapsed(first, second) >= 0);
        assertFails(CudaException.INVALID_HANDLE, () -> emulator.elapsed(first, untimed));
        emulator.destroyEvent(first);
        assertFails(CudaException.INVALID_HANDLE, () -> emulator.record(first, 0));
    }

    private static String module(String version, String target, String body) {
        return ".version " + version + "\n.target " + target + "\n.address_size 64\n.visible .entry k()\n{\n" + body
                + "\nret;\n}\n";
    }

    @Test
    void refusesPtxThatItCannotRun() {
        try (Arena arena = Arena.ofConfined()) {
            Emulator emulator = current(EmulatorSettings.DEFAULT.withCapability(75));
            assertFails(CudaException.UNSUPPORTED_PTX_VERSION,
                    () -> emulator.loadModule(arena.allocateFrom(module("8.1", "sm_75", "")), "new.ptx"));
            assertFails(CudaException.UNSUPPORTED_PTX_VERSION, () -> emulator.loadModule(
                    arena.allocateFrom(".version 9.9\n.novelty { of that version }\n"), "newer.ptx"));
            assertFails(CudaException.INVALID_PTX,
                    () -> emulator.loadModule(arena.allocateFrom(module("7.0", "sm_80", "")), "ampere.ptx"));
            CudaException unknown = assertFails(CudaException.INVALID_PTX,
                    () -> emulator.loadModule(arena.allocateFrom(module("6.5", "sm_75", "frobnicate.f32;")),
                            "odd.ptx"));
            assertTrue(unknown.getMessage().contains("odd.ptx, PTX line 6: frobnicate.f32: the emulator does not know"),
                    unknown.getMessage());
            CudaException modifier = assertFails(CudaException.INVALID_PTX, () -> emulator.loadModule(
                    arena.allocateFrom(module("6.5", "sm_75", ".reg .f32 %f;\nadd.wild.f32 %f, %f, %f;")), "odd.ptx"));
            assertTrue(modifier.getMessage().contains("PTX line 7") && modifier.getMessage().contains(".wild"),
                    modifier.getMessage());
            long module = emulator.loadModule(arena.allocateFrom(module("6.5", "sm_75", "")), "good.ptx");
            CudaException missing = assertFails(CudaException.NOT_FOUND, () -> emulator.function(module, "other"));
            assertTrue(missing.getMessage().contains("good.ptx, which has k"), missing.getMessage());
            long function = emulator.function(module, "k");
            emulator.unloadModule(module);
            assertFails(CudaException.INVALID_HANDLE, () -> emulator.function(module, "k"));
            assertFails(CudaException.INVALID_HANDLE, () -> emulator.launch(function, "k", 1, 1, 1, 1, 1, 1, 0, 0, 0));
        }
    }

    @Test
    void launchesAreChecked() {
        try (TestDevice device = new TestDevice()) {
            device.load(module("7.0", "sm_80", ".shared .align 4 .b8 s[1024];\n.reg .b32 %r;\nmov.u32 %r, s;"));
            launch(device, 1, 1024, 1, 0);
            launch(device, 1, 16, 64, 0);
            launch(device, 1, 32, 1, 47 << 10);
            assertFails(CudaException.INVALID_VALUE, () -> launch(device, 1, 1025, 1, 0));
            assertFails(CudaException.INVALID_VALUE, () -> launch(device, 1, 1, 65, 0));
            assertFails(CudaException.INVALID_VALUE, () -> launch(device, 0, 1, 1, 0));
            assertFails(CudaException.INVALID_VALUE, () -> launch(device, 1, 32, 1, (47 << 10) + 1));
        }
    }

    private static void launch(TestDevice device, int blocks, int threads, int threadsZ, int shared) {
        device.launch("k", new int[]{blocks, 1, 1}, new int[]{threads, 1, threadsZ}, shared);
    }

    @Test
    void moreSharedMemoryIsGivenIfAskedFor() {
        try (Arena arena = Arena.ofConfined()) {
            Emulator emulator = current(EmulatorSettings.DEFAULT);
            long module = emulator.loadModule(arena.allocateFrom(module("7.0", "sm_80", "")), "k.ptx");
            long function = emulator.function(module, "k");
            assertFails(CudaException.INVALID_VALUE,
                    () -> emulator.launch(function, "k", 1, 1, 1, 32, 1, 1, 100 << 10, 0, 0));
            emulator.setFunctionAttribute(function, CudaDriver.FUNCTION_DYNAMIC_SHARED_BYTES, 100 << 10);
            emulator.launch(function, "k", 1, 1, 1, 32, 1, 1, 100 << 10, 0, 0);
            assertFails(CudaException.INVALID_VALUE, () -> emulator.setFunctionAttribute(function,
                    CudaDriver.FUNCTION_DYNAMIC_SHARED_BYTES, (163 << 10) + 1));
        }
    }

    @Test
    void aFaultLosesTheContext() {
        Emulator emulator = current(EmulatorSettings.DEFAULT.withDevices(2));
        try (Arena arena = Arena.ofConfined()) {
            long module = emulator.loadModule(arena.allocateFrom(module("7.0", "sm_80", "trap;")), "k.ptx");
            long function = emulator.function(module, "k");
            emulator.allocate(100);
            CudaException fault = assertFails(CudaException.LAUNCH_FAILED,
                    () -> emulator.launch(function, "k", 1, 1, 1, 32, 1, 1, 0, 0, 0));
            CudaException later = assertFails(CudaException.LAUNCH_FAILED, () -> emulator.allocate(1));
            assertTrue(later.getMessage().contains(fault.getMessage()), later.getMessage());
            emulator.makeCurrent(emulator.retainPrimaryContext(1));
            emulator.free(emulator.allocate(1));
            emulator.releasePrimaryContext(0);
            emulator.makeCurrent(emulator.retainPrimaryContext(0));
            assertEquals(emulator.totalMemory(0), emulator.freeMemory());
            assertFails(CudaException.INVALID_HANDLE, () -> emulator.function(module, "k"));
        }
    }

    @Test
    void devicesHaveTheirOwnMemoryAndModules() {
        Emulator emulator = current(EmulatorSettings.DEFAULT.withDevices(2));
        try (Arena arena = Arena.ofConfined()) {
            long function = emulator.function(emulator.loadModule(arena.allocateFrom(module("7.0", "sm_80", "")), "k"),
                    "k");
            long address = emulator.allocate(16);
            emulator.makeCurrent(emulator.retainPrimaryContext(1));
            assertEquals(emulator.totalMemory(1), emulator.freeMemory());
            assertFails(CudaException.INVALID_HANDLE, () -> emulator.launch(function, "k", 1, 1, 1, 1, 1, 1, 0, 0, 0));
            assertFails(CudaException.INVALID_VALUE, () -> emulator.free(address));
        }
    }

    @Test
    void variablesOfAModuleKeepTheirValues() {
        String ptx = ".version 7.0\n.target sm_80\n.address_size 64\n.global .align 4 .u32 counter = 41;\n"
                + ".visible .entry k(.param .u64 out)\n{\n.reg .b64 %d; .reg .b32 %r;\nld.param.u64 %d, [out];\n"
                + "ld.global.u32 %r, [counter];\nadd.u32 %r, %r, 1;\nst.global.u32 [counter], %r;\n"
                + "st.global.u32 [%d], %r;\nret;\n}\n";
        try (TestDevice device = new TestDevice()) {
            long out = device.put(0);
            long before = device.emulator().freeMemory();
            device.load(ptx);
            device.launch("k", 1, 1, out);
            device.launch("k", 1, 1, out);
            assertEquals(43, device.ints(out, 1)[0]);
            assertTrue(device.emulator().freeMemory() < before);
        }
    }
}
