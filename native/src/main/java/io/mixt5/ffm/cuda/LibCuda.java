package io.mixt5.ffm.cuda;

import static io.mixt5.ffm.cuda.Downcalls.call;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.mixt5.ffm.NativeLibraries;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * NVIDIA's driver, {@code libcuda.so.1}, bound with the foreign function interface. What is needed of it is in every
 * driver for CUDA 12.0 or newer; no CUDA toolkit is needed.
 *
 * <p>The library is looked for once, when this class is first used: the file named by system property
 * {@code mixt5.cuda}, else by environment variable {@code MIXT5_CUDA}, else {@code libcuda.so.1} ({@code nvcuda.dll}
 * on Windows) where the dynamic linker finds it. The try is in {@link NativeLibraries}.
 *
 * <p>Addresses and handles are passed as plain numbers, so that a launch or a copy allocates nothing.
 */
@SuppressWarnings("restricted")
public final class LibCuda implements CudaDriver {
    /** The name under which {@link NativeLibraries} lists the attempts. */
    public static final String NAME = "CUDA driver";
    /** The oldest CUDA that a driver has to know, 1000 * major + 10 * minor. */
    public static final int OLDEST = 12000;

    private static final int HOST_PORTABLE = 1;
    private static final int STREAM_NON_BLOCKING = 1;
    private static final int EVENT_DISABLE_TIMING = 2;
    private static final int JIT_ERROR_LOG_BUFFER = 5;
    private static final int JIT_ERROR_LOG_BUFFER_SIZE = 6;
    private static final int JIT_ERROR_LOG_BYTES = 8192;
    private static final int NAME_BYTES = 256;

    private static final LibCuda DRIVER = new LibCuda();
    private static final CudaGraphs GRAPHS = new LibCudaGraphs();

    private LibCuda() {
    }

    /** Why there is no device to use here and what to do about it, as a sentence; null when there is one. */
    public static String unavailable() {
        String unusable = Cu.LIBRARY.unusable();
        if (unusable != null) {
            return unusable;
        }
        int status = call(Cu.INIT, 0);
        if (status != CudaStatus.SUCCESS) {
            return "CUDA's driver in " + Cu.LIBRARY.location() + " does not start, cuInit says " + name(status)
                    + CudaStatus.advice(status);
        }
        int version = DRIVER.version();
        if (version < OLDEST) {
            return "CUDA's driver in " + Cu.LIBRARY.location() + " is too old, it knows CUDA " + release(version)
                    + " and "
                    + release(OLDEST) + " is needed; install NVIDIA's driver 525 or newer";
        }
        return DRIVER.deviceCount() > 0
                ? null
                : "CUDA's driver in " + Cu.LIBRARY.location() + " finds no device"
                        + CudaStatus.advice(CudaException.NO_DEVICE);
    }

    /**
     * The driver, initialised.
     *
     * @throws IllegalStateException saying why, when there is no device to use
     */
    public static LibCuda driver() {
        String unavailable = unavailable();
        if (unavailable != null) {
            throw new IllegalStateException(unavailable);
        }
        return DRIVER;
    }

    @Override
    public String description() {
        return Cu.LIBRARY.location() + " for CUDA " + release(version());
    }

    private static String release(int version) {
        return version / 1000 + "." + version % 1000 / 10;
    }

    @Override
    public int version() {
        return readInt("cuDriverGetVersion", "the newest CUDA that it knows", out -> call(Cu.DRIVER_GET_VERSION, out));
    }

    @Override
    public int deviceCount() {
        return readInt("cuDeviceGetCount", "the number of devices", out -> call(Cu.DEVICE_GET_COUNT, out));
    }

    /** The driver's own number for a device. */
    private static int device(int ordinal) {
        return readInt("cuDeviceGet", "device " + ordinal + " of " + DRIVER.deviceCount(),
                out -> call(Cu.DEVICE_GET, out, ordinal));
    }

    @Override
    public String deviceName(int ordinal) {
        try (Arena arena = Arena.ofConfined()) {
            int device = device(ordinal);
            MemorySegment out = arena.allocate(NAME_BYTES);
            check(call(Cu.DEVICE_GET_NAME, out.address(), NAME_BYTES, device), "cuDeviceGetName", "a device's name");
            return out.getString(0);
        }
    }

    @Override
    public int deviceAttribute(int ordinal, int attribute) {
        int device = device(ordinal);
        return readInt("cuDeviceGetAttribute", "attribute " + attribute + " of device " + ordinal,
                out -> call(Cu.DEVICE_GET_ATTRIBUTE, out, attribute, device));
    }

    @Override
    public long totalMemory(int ordinal) {
        int device = device(ordinal);
        return readLong("cuDeviceTotalMem_v2", "the memory of device " + ordinal,
                out -> call(Cu.DEVICE_TOTAL_MEM, out, device));
    }

    @Override
    public long retainPrimaryContext(int ordinal) {
        int device = device(ordinal);
        return readLong("cuDevicePrimaryCtxRetain", "the primary context of device " + ordinal,
                out -> call(Cu.CTX_RETAIN, out, device));
    }

    @Override
    public void releasePrimaryContext(int ordinal) {
        check(call(Cu.CTX_RELEASE, device(ordinal)), "cuDevicePrimaryCtxRelease_v2", "a primary context");
    }

    @Override
    public void makeCurrent(long context) {
        check(call(Cu.CTX_SET_CURRENT, context), "cuCtxSetCurrent", "a context for this thread");
    }

    @Override
    public long loadModule(MemorySegment ptx, String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            MemorySegment log = arena.allocate(JIT_ERROR_LOG_BYTES);
            MemorySegment options = arena.allocateFrom(JAVA_INT, JIT_ERROR_LOG_BUFFER, JIT_ERROR_LOG_BUFFER_SIZE);
            // The driver reads the size from the pointer's own low bits, and writes there how much it filled.
            MemorySegment values = arena.allocateFrom(JAVA_LONG, log.address(), JIT_ERROR_LOG_BYTES);
            int status;
            try {
                status = (int) Cu.MODULE_LOAD.invokeExact(out.address(), ptx.address(), 2, options.address(),
                        values.address());
            } catch (Throwable e) {
                throw Downcalls.unchecked(e);
            }
            if (status != CudaStatus.SUCCESS) {
                String said = log.getString(0).strip();
                throw failure(status, "cuModuleLoadDataEx", name + " for a driver of CUDA " + release(DRIVER.version())
                        + (said.isEmpty() ? "" : ": " + said));
            }
            return out.get(JAVA_LONG, 0);
        }
    }

    @Override
    public void unloadModule(long module) {
        check(call(Cu.MODULE_UNLOAD, module), "cuModuleUnload", "a module");
    }

    @Override
    public long function(long module, String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            int status = call(Cu.MODULE_GET_FUNCTION, out.address(), module, arena.allocateFrom(name).address());
            if (status != CudaStatus.SUCCESS) {
                throw failure(status, "cuModuleGetFunction", "kernel " + name);
            }
            return out.get(JAVA_LONG, 0);
        }
    }

    @Override
    public void setFunctionAttribute(long function, int attribute, int value) {
        int status = call(Cu.FUNC_SET_ATTRIBUTE, function, attribute, value);
        if (status != CudaStatus.SUCCESS) {
            throw failure(status, "cuFuncSetAttribute", "attribute " + attribute + " of a kernel as " + value);
        }
    }

    @Override
    public long allocate(long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            int status = call(Cu.MEM_ALLOC, out.address(), bytes);
            if (status != CudaStatus.SUCCESS) {
                throw failure(status, "cuMemAlloc_v2", bytes + " bytes asked of the device" + freeOf(arena));
            }
            return out.get(JAVA_LONG, 0);
        }
    }

    /** How much is free, for a message; nothing when that cannot be told. */
    private static String freeOf(Arena arena) {
        MemorySegment out = arena.allocate(JAVA_LONG, 2);
        int status = call(Cu.MEM_GET_INFO, out.address(), out.address() + Long.BYTES);
        return status != CudaStatus.SUCCESS
                ? ""
                : ", " + out.getAtIndex(JAVA_LONG, 0) + " of its " + out.getAtIndex(JAVA_LONG, 1) + " are free";
    }

    @Override
    public void free(long address) {
        int status = call(Cu.MEM_FREE, address);
        if (status != CudaStatus.SUCCESS) {
            throw failure(status, "cuMemFree_v2", "address " + hex(address));
        }
    }

    @Override
    public long freeMemory() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG, 2);
            check(call(Cu.MEM_GET_INFO, out.address(), out.address() + Long.BYTES), "cuMemGetInfo_v2",
                    "the device's free memory");
            return out.getAtIndex(JAVA_LONG, 0);
        }
    }

    @Override
    public long allocateHost(long bytes) {
        return readLong("cuMemHostAlloc", bytes + " bytes of page-locked host memory",
                out -> call(Cu.MEM_HOST_ALLOC, out, bytes, HOST_PORTABLE));
    }

    @Override
    public void freeHost(long address) {
        int status = call(Cu.MEM_FREE_HOST, address);
        if (status != CudaStatus.SUCCESS) {
            throw failure(status, "cuMemFreeHost", "address " + hex(address));
        }
    }

    @Override
    public void fill(long address, byte value, long bytes, long stream) {
        int status;
        try {
            status = (int) Cu.MEMSET.invokeExact(address, value, bytes, stream);
        } catch (Throwable e) {
            throw Downcalls.unchecked(e);
        }
        if (status != CudaStatus.SUCCESS) {
            throw failure(status, "cuMemsetD8Async", bytes + " bytes at " + hex(address));
        }
    }

    @Override
    public void upload(long host, long device, long bytes, long stream) {
        int status = call(Cu.MEMCPY_UP, device, host, bytes, stream);
        if (status != CudaStatus.SUCCESS) {
            throw failure(status, "cuMemcpyHtoDAsync_v2", bytes + " bytes to " + hex(device));
        }
    }

    @Override
    public void download(long device, long host, long bytes, long stream) {
        int status = call(Cu.MEMCPY_DOWN, host, device, bytes, stream);
        if (status != CudaStatus.SUCCESS) {
            throw failure(status, "cuMemcpyDtoHAsync_v2", bytes + " bytes from " + hex(device));
        }
    }

    @Override
    public void copy(long source, long target, long bytes, long stream) {
        int status = call(Cu.MEMCPY_DEVICE, target, source, bytes, stream);
        if (status != CudaStatus.SUCCESS) {
            throw failure(status, "cuMemcpyDtoDAsync_v2", bytes + " bytes from " + hex(source) + " to " + hex(target));
        }
    }

    @Override
    public long createStream() {
        return readLong("cuStreamCreate", "a stream", out -> call(Cu.STREAM_CREATE, out, STREAM_NON_BLOCKING));
    }

    @Override
    public void destroyStream(long stream) {
        check(call(Cu.STREAM_DESTROY, stream), "cuStreamDestroy_v2", "a stream");
    }

    @Override
    public void synchronize(long stream) {
        check(call(Cu.STREAM_SYNCHRONIZE, stream), "cuStreamSynchronize", "what was started in the stream");
    }

    @Override
    public long createEvent(boolean timed) {
        return readLong("cuEventCreate", "an event",
                out -> call(Cu.EVENT_CREATE, out, timed ? 0 : EVENT_DISABLE_TIMING));
    }

    @Override
    public void destroyEvent(long event) {
        check(call(Cu.EVENT_DESTROY, event), "cuEventDestroy_v2", "an event");
    }

    @Override
    public void record(long event, long stream) {
        check(call(Cu.EVENT_RECORD, event, stream), "cuEventRecord", "an event in a stream");
    }

    @Override
    public void await(long stream, long event) {
        check(call(Cu.STREAM_WAIT_EVENT, stream, event, 0), "cuStreamWaitEvent", "a stream that waits for an event");
    }

    @Override
    public float elapsed(long from, long to) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_FLOAT);
            check(call(Cu.EVENT_SYNCHRONIZE, to), "cuEventSynchronize", "the later of two events");
            check(call(Cu.EVENT_ELAPSED, out.address(), from, to), "cuEventElapsedTime", "the time between two events");
            return out.get(JAVA_FLOAT, 0);
        }
    }

    @Override
    public void launch(long function, String name, int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ,
            int sharedBytes, long stream, long parameters) {
        int status;
        try {
            status = (int) Cu.LAUNCH.invokeExact(function, gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes,
                    stream, parameters, 0L);
        } catch (Throwable e) {
            throw Downcalls.unchecked(e);
        }
        if (status != CudaStatus.SUCCESS) {
            throw failure(status, "cuLaunchKernel", "kernel " + name + ", grid " + gridX + " x " + gridY + " x " + gridZ
                    + ", block " + blockX + " x " + blockY + " x " + blockZ + ", " + sharedBytes
                    + " bytes of dynamic shared memory");
        }
    }

    @Override
    public CudaGraphs graphs() {
        return GRAPHS;
    }

    /** A call that writes its result to an address. */
    interface Result {
        int call(long address);
    }

    private static int readInt(String call, String about, Result result) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_INT);
            check(result.call(out.address()), call, about);
            return out.get(JAVA_INT, 0);
        }
    }

    static long readLong(String call, String about, Result result) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            check(result.call(out.address()), call, about);
            return out.get(JAVA_LONG, 0);
        }
    }

    static void check(int status, String call, String about) {
        if (status != CudaStatus.SUCCESS) {
            throw failure(status, call, about);
        }
    }

    private static CudaException failure(int status, String call, String about) {
        return new CudaException(status, name(status), call, about + CudaStatus.advice(status));
    }

    /** A status's name as the driver has it, which knows more of them than this library. */
    private static String name(int status) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ADDRESS);
            int failed = call(Cu.GET_ERROR_NAME, status, out.address());
            MemorySegment text = out.get(ADDRESS, 0);
            return failed != CudaStatus.SUCCESS || text.equals(MemorySegment.NULL)
                    ? CudaStatus.name(status)
                    : text.reinterpret(Long.MAX_VALUE).getString(0);
        }
    }

    private static String hex(long address) {
        return "0x" + Long.toHexString(address);
    }
}
