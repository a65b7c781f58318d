package io.mixt5.ffm.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.ffm.NativeLibraries;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Field;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The binding of the driver and the stand-in, each by the other. */
@SuppressWarnings("restricted")
class LibCudaTest {
    private final FakeDriver fake = new FakeDriver();
    private final Arena arena = Arena.ofConfined();
    private StandIn standIn;

    @BeforeEach
    void install() {
        StandIn.assumeAvailable();
        standIn = StandIn.install(fake);
    }

    @AfterEach
    void takeAway() {
        if (standIn != null) {
            standIn.close();
        }
        arena.close();
    }

    @Test
    void tellsWhatThereIs() {
        LibCuda driver = LibCuda.driver();
        assertNull(LibCuda.unavailable());
        assertEquals(12060, driver.version());
        assertEquals(1, driver.deviceCount());
        assertEquals("Fake GPU 0", driver.deviceName(0));
        assertEquals(CudaDriver.SHARED_MEMORY_PER_BLOCK,
                driver.deviceAttribute(0, CudaDriver.SHARED_MEMORY_PER_BLOCK));
        assertEquals(FakeDriver.MEMORY, driver.totalMemory(0));
        assertEquals(System.getProperty("mixt5.cuda") + " for CUDA 12.6", driver.description());
        assertTrue(NativeLibraries.attempts(LibCuda.NAME).getLast().loaded());
        CudaException refused = assertThrows(CudaException.class, () -> driver.deviceName(1));
        assertEquals("cuDeviceGet failed with CUDA_ERROR_INVALID_DEVICE: device 1 of 1", refused.getMessage());
    }

    @Test
    void handsOnEveryCallWithItsArguments() {
        LibCuda driver = LibCuda.driver();
        long context = driver.retainPrimaryContext(0);
        driver.makeCurrent(context);
        long module = driver.loadModule(arena.allocateFrom(".version 6.5"), "add.ptx");
        long function = driver.function(module, "add");
        driver.setFunctionAttribute(function, CudaDriver.FUNCTION_DYNAMIC_SHARED_BYTES, 65536);
        long memory = driver.allocate(32);
        long other = driver.allocate(16);
        assertEquals(FakeDriver.MEMORY - 48, driver.freeMemory());
        long stream = driver.createStream();
        long timed = driver.createEvent(true);
        long untimed = driver.createEvent(false);
        driver.record(timed, stream);
        driver.await(stream, untimed);
        driver.fill(memory, (byte) -1, 32, stream);
        long host = driver.allocateHost(16);
        MemorySegment floats = MemorySegment.ofAddress(host).reinterpret(16);
        MemorySegment.copy(new float[]{1, 2, 3, 4}, 0, floats, JAVA_FLOAT, 0, 4);
        driver.upload(host, memory, 16, stream);
        driver.launch(function, "add", 7, 6, 5, 4, 3, 2, 1, stream, parameters(memory, 0.5f, 3));
        driver.copy(memory, other, 16, stream);
        driver.download(other, host, 16, stream);
        driver.synchronize(stream);
        assertArrayEquals(new float[]{1.5f, 2.5f, 3.5f, 4}, floats.toArray(JAVA_FLOAT));
        assertEquals(-1, fake.memory(memory + 16, 16).get(JAVA_INT, 0));
        assertEquals(1.5f, driver.elapsed(timed, untimed));

        assertEquals(List.of("retainPrimaryContext 0", "makeCurrent " + context, "loadModule .version 6.5 13",
                "setFunctionAttribute " + function + " 8 65536", "createEvent true", "createEvent false",
                "record " + timed + " " + stream, "await " + stream + " " + untimed,
                "fill " + memory + " -1 32 " + stream, "upload " + host + " " + memory + " 16 " + stream,
                "launch " + function + " add 7 6 5 4 3 2 1 " + stream, "copy " + memory + " " + other + " 16 " + stream,
                "download " + other + " " + host + " 16 " + stream, "synchronize " + stream,
                "elapsed " + timed + " " + untimed), fake.calls);

        assertEquals(8, fake.live.size(), fake.live.toString());
        driver.destroyEvent(timed);
        driver.destroyEvent(untimed);
        driver.destroyStream(stream);
        driver.freeHost(host);
        driver.free(other);
        driver.free(memory);
        driver.unloadModule(module);
        driver.releasePrimaryContext(0);
        assertEquals(Map.of(), fake.live);
        assertEquals(List.of(), standIn.thrown());
        assertEquals(1, standIn.calls("cuLaunchKernel"));
        assertEquals(0, standIn.calls("cuNothing"));
    }

    private long parameters(long values, float value, int count) {
        MemorySegment valuesAt = arena.allocateFrom(JAVA_LONG, values);
        MemorySegment valueAt = arena.allocateFrom(JAVA_FLOAT, value);
        MemorySegment countAt = arena.allocateFrom(JAVA_INT, count);
        return arena.allocateFrom(JAVA_LONG, valuesAt.address(), valueAt.address(), countAt.address()).address();
    }

    @Test
    void bindsEveryFunctionThatItNames() throws IllegalAccessException {
        List<Field> handles = Arrays.stream(Cu.class.getDeclaredFields())
                .filter(field -> field.getType() == MethodHandle.class).toList();
        assertFalse(handles.isEmpty());
        for (Field handle : handles) {
            assertTrue(handle.get(null) != null, handle.getName());
        }
    }

    @Test
    void tellsWhyThereIsNoDevice() {
        standIn.fail("cuInit", 1, CudaException.NO_DEVICE);
        String none = LibCuda.unavailable();
        assertTrue(none.contains("cuInit says CUDA_ERROR_NO_DEVICE; the machine has no NVIDIA GPU"), none);
        standIn.fail("cuInit", 1, 803);
        assertTrue(LibCuda.unavailable().endsWith("restart the machine"), LibCuda.unavailable());
        standIn.pretendVersion(11080);
        String old = LibCuda.unavailable();
        assertTrue(old.endsWith("is too old, it knows CUDA 11.8 and 12.0 is needed; install NVIDIA's driver 525 or "
                + "newer"), old);
        assertEquals(old, assertThrows(IllegalStateException.class, LibCuda::driver).getMessage());
        standIn.pretendVersion(12000);
        assertNull(LibCuda.unavailable());
    }

    @Test
    void tellsHowMuchMemoryWasAskedAndIsFree() {
        LibCuda driver = LibCuda.driver();
        driver.makeCurrent(driver.retainPrimaryContext(0));
        driver.allocate(FakeDriver.MEMORY - 512);
        CudaException full = assertThrows(CudaException.class, () -> driver.allocate(1024));
        assertEquals("cuMemAlloc_v2 failed with CUDA_ERROR_OUT_OF_MEMORY: 1024 bytes asked of the device, 512 of its "
                + "65536 are free; use smaller batches or a shorter context, or end what else uses the device",
                full.getMessage());
        assertEquals(CudaException.OUT_OF_MEMORY, full.status());
        assertFalse(full.deviceLost());
        assertEquals(1, standIn.thrown().size());
    }

    @Test
    void tellsWhyAModuleIsRefused() {
        LibCuda driver = LibCuda.driver();
        CudaException wrong = assertThrows(CudaException.class,
                () -> driver.loadModule(arena.allocateFrom("nonsense"), "add.ptx"));
        assertTrue(wrong.getMessage().startsWith("cuModuleLoadDataEx failed with CUDA_ERROR_INVALID_PTX: add.ptx for a "
                + "driver of CUDA 12.6: "), wrong.getMessage());
        assertTrue(wrong.getMessage().contains("line 1: no .version"), wrong.getMessage());
        standIn.fail("cuModuleLoadDataEx", 1, CudaException.UNSUPPORTED_PTX_VERSION);
        CudaException old = assertThrows(CudaException.class,
                () -> driver.loadModule(arena.allocateFrom(".version 9.0"), "add.ptx"));
        assertTrue(old.getMessage().endsWith("NVIDIA's driver is too old for it, install a newer one"),
                old.getMessage());
        long module = driver.loadModule(arena.allocateFrom(".version 6.5"), "add.ptx");
        CudaException missing = assertThrows(CudaException.class, () -> driver.function(module, "sub"));
        assertEquals("cuModuleGetFunction failed with CUDA_ERROR_NOT_FOUND: kernel sub", missing.getMessage());
    }

    @Test
    void failsAtTheChosenCall() {
        LibCuda driver = LibCuda.driver();
        long memory = driver.allocate(16);
        standIn.fail("cuMemcpyDtoDAsync_v2", 2, CudaException.INVALID_VALUE);
        driver.copy(memory, memory + 8, 8, 0);
        CudaException refused = assertThrows(CudaException.class, () -> driver.copy(memory, memory + 8, 8, 0));
        assertEquals("cuMemcpyDtoDAsync_v2 failed with CUDA_ERROR_INVALID_VALUE: 8 bytes from 0x"
                + Long.toHexString(memory) + " to 0x" + Long.toHexString(memory + 8), refused.getMessage());
        driver.copy(memory, memory + 8, 8, 0);
        assertEquals(2, fake.calls.size(), fake.calls.toString());
        assertThrows(IllegalArgumentException.class, () -> standIn.fail("cuInit", 0, 1));
    }

    @Test
    void staysLostAfterAFailedKernel() {
        LibCuda driver = LibCuda.driver();
        long memory = driver.allocate(16);
        standIn.fail("cuStreamSynchronize", 1, CudaException.ILLEGAL_ADDRESS);
        long parameters = parameters(memory, 1, 4);
        driver.launch(1, "add", 1, 1, 1, 32, 1, 1, 0, 0, parameters);
        CudaException lost = assertThrows(CudaException.class, () -> driver.synchronize(0));
        assertTrue(lost.deviceLost());
        assertTrue(lost.getMessage().contains("start it again from the last checkpoint"), lost.getMessage());
        CudaException again = assertThrows(CudaException.class,
                () -> driver.launch(1, "add", 3, 1, 1, 32, 1, 1, 64, 0, parameters));
        assertTrue(again.getMessage().startsWith("cuLaunchKernel failed with CUDA_ERROR_ILLEGAL_ADDRESS: kernel add, "
                + "grid 3 x 1 x 1, block 32 x 1 x 1, 64 bytes of dynamic shared memory; the device is lost"),
                again.getMessage());
        assertThrows(CudaException.class, () -> driver.free(memory));
        assertNull(LibCuda.unavailable(), "what touches no context still answers");
    }

    @Test
    void keepsWhatACallThrows() {
        LibCuda driver = LibCuda.driver();
        long memory = driver.allocate(16);
        CudaException failed = assertThrows(CudaException.class,
                () -> driver.launch(1, "add", 1, 1, 1, 1, 1, 1, 0, 0, parameters(memory, 1, -3)));
        assertEquals(CudaException.LAUNCH_FAILED, failed.status());
        assertEquals("the fake's kernel was given a count of -3", standIn.thrown().getFirst().getMessage());
    }

    @Test
    void givesWayToALaterDriverAndIsBackAfterwards() {
        FakeDriver second = new FakeDriver();
        try (StandIn before = StandIn.install(second)) {
            assertThrows(IllegalStateException.class, standIn::close);
            assertNotEquals(0, LibCuda.driver().createStream());
            assertEquals(1, second.live.size());
            assertEquals(Map.of(), fake.live);
            assertEquals(1, before.calls("cuStreamCreate"));
        }
        assertNotEquals(0, LibCuda.driver().createStream());
        assertEquals(1, second.live.size());
        assertEquals(1, fake.live.size());
        standIn.close();
        assertThrows(IllegalStateException.class, LibCuda::driver);
    }
}
