package io.mixt5.ffm.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.LongConsumer;

/**
 * The C functions of the driver, each with its name and parameters (handles and addresses as longs) as a call of a
 * {@link CudaDriver}; all return a CUresult, or throw.
 */
@SuppressWarnings("restricted")
final class DriverUpcalls {
    private static final int EVENT_DISABLE_TIMING = 2;
    private static final int JIT_ERROR_LOG_BUFFER = 5;
    private static final int JIT_ERROR_LOG_BUFFER_SIZE = 6;

    private final CudaDriver driver;
    private final CapturedGraphs graphs;
    private final Arena arena;
    private final Map<Integer, MemorySegment> errorNames = new ConcurrentHashMap<>();
    private final Map<Long, String> kernelNames = new ConcurrentHashMap<>();
    private final Map<Long, Map<String, KernelParameters>> moduleParameters = new ConcurrentHashMap<>();
    private final Map<Long, KernelParameters> kernelParameters = new ConcurrentHashMap<>();
    /** The page-locked memory: address to bytes. */
    private final ConcurrentSkipListMap<Long, Long> hostMemory = new ConcurrentSkipListMap<>();
    private final Map<Long, Integer> contextDevices = new ConcurrentHashMap<>();
    private final ThreadLocal<Long> current = new ThreadLocal<>();
    private volatile int pretendedVersion;

    /** @param arena where texts live that C is given */
    DriverUpcalls(CudaDriver driver, CapturedGraphs graphs, Arena arena) {
        this.driver = driver;
        this.graphs = graphs;
        this.arena = arena;
    }

    void pretendVersion(int version) {
        pretendedVersion = version;
    }

    public int cuInit(int flags) {
        return flags == 0 ? CudaStatus.SUCCESS : CudaException.INVALID_VALUE;
    }

    public int cuDriverGetVersion(long version) {
        return give(version, pretendedVersion != 0 ? pretendedVersion : driver.version());
    }

    public int cuGetErrorName(int status, long name) {
        return give(name, errorNames.computeIfAbsent(status, s -> arena.allocateFrom(CudaStatus.name(s))).address());
    }

    public int cuDeviceGetCount(long count) {
        return give(count, driver.deviceCount());
    }

    public int cuDeviceGet(long device, int ordinal) {
        boolean exists = ordinal >= 0 && ordinal < driver.deviceCount();
        return exists ? give(device, ordinal) : CudaException.INVALID_DEVICE;
    }

    public int cuDeviceGetName(long name, int bytes, int device) {
        write(name, bytes, driver.deviceName(device));
        return CudaStatus.SUCCESS;
    }

    public int cuDeviceGetAttribute(long value, int attribute, int device) {
        return give(value, driver.deviceAttribute(device, attribute));
    }

    public int cuDeviceTotalMem_v2(long bytes, int device) {
        return give(bytes, driver.totalMemory(device));
    }

    public int cuDevicePrimaryCtxRetain(long context, int device) {
        long handle = driver.retainPrimaryContext(device);
        contextDevices.put(handle, device);
        return give(context, handle);
    }

    public int cuDevicePrimaryCtxRelease_v2(int device) {
        driver.releasePrimaryContext(device);
        return CudaStatus.SUCCESS;
    }

    public int cuCtxSetCurrent(long context) {
        driver.makeCurrent(context);
        current.set(context);
        return CudaStatus.SUCCESS;
    }

    public int cuModuleLoadDataEx(long module, long image, int count, long options, long values) {
        MemorySegment text = MemorySegment.ofAddress(image).reinterpret(Long.MAX_VALUE);
        String ptx = text.getString(0);
        long bytes = ptx.getBytes(StandardCharsets.UTF_8).length + 1L;
        graphs.forbidUnsafe("cuModuleLoadDataEx");
        try {
            long handle = driver.loadModule(text.asSlice(0, bytes), "PTX given to libcuda");
            moduleParameters.put(handle, KernelParameters.of(ptx));
            return give(module, handle);
        } catch (CudaException e) {
            log(e.getMessage(), count, options, values);
            throw e;
        }
    }

    private static void log(String message, int count, long options, long values) {
        long buffer = 0;
        int size = 0;
        for (int i = 0; i < count; i++) {
            int option = memory(options, (i + 1L) * Integer.BYTES).getAtIndex(JAVA_INT, i);
            long value = memory(values, (i + 1L) * Long.BYTES).getAtIndex(JAVA_LONG, i);
            if (option == JIT_ERROR_LOG_BUFFER) {
                buffer = value;
            } else if (option == JIT_ERROR_LOG_BUFFER_SIZE) {
                size = (int) value;
            }
        }
        if (buffer != 0) {
            write(buffer, size, message);
        }
    }

    public int cuModuleUnload(long module) {
        driver.unloadModule(module);
        return CudaStatus.SUCCESS;
    }

    public int cuModuleGetFunction(long function, long module, long name) {
        String kernel = memory(name, Long.MAX_VALUE).getString(0);
        long handle = driver.function(module, kernel);
        kernelNames.put(handle, kernel);
        KernelParameters parameters = moduleParameters.get(module).get(kernel);
        if (parameters != null) {
            kernelParameters.put(handle, parameters);
        }
        return give(function, handle);
    }

    public int cuFuncSetAttribute(long function, int attribute, int value) {
        driver.setFunctionAttribute(function, attribute, value);
        return CudaStatus.SUCCESS;
    }

    public int cuMemAlloc_v2(long address, long bytes) {
        graphs.forbidUnsafe("cuMemAlloc_v2");
        return bytes <= 0 ? CudaException.INVALID_VALUE : give(address, driver.allocate(bytes));
    }

    public int cuMemFree_v2(long address) {
        graphs.forbidUnsafe("cuMemFree_v2");
        driver.free(address);
        return CudaStatus.SUCCESS;
    }

    public int cuMemGetInfo_v2(long free, long total) {
        Long context = current.get();
        Integer device = context == null ? null : contextDevices.get(context);
        if (device == null) {
            throw new CudaException(CudaException.INVALID_CONTEXT, "cuMemGetInfo_v2", "no context is current");
        }
        give(total, driver.totalMemory(device));
        return give(free, driver.freeMemory());
    }

    public int cuMemHostAlloc(long address, long bytes, int flags) {
        graphs.forbidUnsafe("cuMemHostAlloc");
        long host = driver.allocateHost(bytes);
        hostMemory.put(host, bytes);
        return give(address, host);
    }

    public int cuMemFreeHost(long address) {
        graphs.forbidUnsafe("cuMemFreeHost");
        driver.freeHost(address);
        hostMemory.remove(address);
        return CudaStatus.SUCCESS;
    }

    public int cuMemsetD8Async(long address, byte value, long bytes, long stream) {
        graphs.run(stream, "memset", () -> driver.fill(address, value, bytes, stream));
        return CudaStatus.SUCCESS;
    }

    public int cuMemcpyHtoDAsync_v2(long device, long host, long bytes, long stream) {
        requireLasting(host, bytes, stream, "cuMemcpyHtoDAsync_v2");
        graphs.run(stream, "memcpy up", () -> driver.upload(host, device, bytes, stream));
        return CudaStatus.SUCCESS;
    }

    public int cuMemcpyDtoHAsync_v2(long host, long device, long bytes, long stream) {
        requireLasting(host, bytes, stream, "cuMemcpyDtoHAsync_v2");
        graphs.run(stream, "memcpy down", () -> driver.download(device, host, bytes, stream));
        return CudaStatus.SUCCESS;
    }

    public int cuMemcpyDtoDAsync_v2(long target, long source, long bytes, long stream) {
        graphs.run(stream, "memcpy", () -> driver.copy(source, target, bytes, stream));
        return CudaStatus.SUCCESS;
    }

    /** What a graph copies is read when it runs, which memory that is not page-locked may not live to see. */
    private void requireLasting(long host, long bytes, long stream, String call) {
        Map.Entry<Long, Long> block = hostMemory.floorEntry(host);
        if (block == null || host + bytes > block.getKey() + block.getValue()) {
            graphs.forbid(stream, call);
        }
    }

    public int cuStreamCreate(long stream, int flags) {
        return give(stream, driver.createStream());
    }

    public int cuStreamDestroy_v2(long stream) {
        graphs.forbid(stream, "cuStreamDestroy_v2");
        driver.destroyStream(stream);
        return CudaStatus.SUCCESS;
    }

    public int cuStreamSynchronize(long stream) {
        graphs.forbid(stream, "cuStreamSynchronize");
        driver.synchronize(stream);
        return CudaStatus.SUCCESS;
    }

    /** Captures of more than one stream, which events would join, are not here. */
    public int cuStreamWaitEvent(long stream, long event, int flags) {
        graphs.forbid(stream, "cuStreamWaitEvent");
        driver.await(stream, event);
        return CudaStatus.SUCCESS;
    }

    public int cuEventCreate(long event, int flags) {
        return give(event, driver.createEvent((flags & EVENT_DISABLE_TIMING) == 0));
    }

    public int cuEventDestroy_v2(long event) {
        driver.destroyEvent(event);
        return CudaStatus.SUCCESS;
    }

    public int cuEventRecord(long event, long stream) {
        graphs.forbid(stream, "cuEventRecord");
        driver.record(event, stream);
        return CudaStatus.SUCCESS;
    }

    /** Nothing to do: {@link CudaDriver#elapsed} waits by itself. */
    public int cuEventSynchronize(long event) {
        return CudaStatus.SUCCESS;
    }

    public int cuEventElapsedTime(long milliseconds, long from, long to) {
        memory(milliseconds, Float.BYTES).set(JAVA_FLOAT, 0, driver.elapsed(from, to));
        return CudaStatus.SUCCESS;
    }

    public int cuLaunchKernel(long function, int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ,
            int sharedBytes, long stream, long parameters, long extra) {
        if (extra != 0) {
            return CudaException.NOT_SUPPORTED;
        }
        LongConsumer launch = values -> driver.launch(function,
                kernelNames.getOrDefault(function, "of an unknown handle"), gridX, gridY, gridZ, blockX, blockY, blockZ,
                sharedBytes, stream, values);
        if (graphs.capturing(stream)) {
            graphs.run(stream, "kernel", kernelParameters.get(function).copied(parameters, launch));
        } else {
            launch.accept(parameters);
        }
        return CudaStatus.SUCCESS;
    }

    public int cuStreamBeginCapture_v2(long stream, int mode) {
        graphs.begin(stream, mode);
        return CudaStatus.SUCCESS;
    }

    public int cuStreamEndCapture(long stream, long graph) {
        return give(graph, graphs.end(stream));
    }

    public int cuGraphInstantiateWithFlags(long executable, long graph, long flags) {
        return flags != 0 ? CudaException.NOT_SUPPORTED : give(executable, graphs.instantiate(graph));
    }

    public int cuGraphExecUpdate_v2(long executable, long graph, long result) {
        int outcome = graphs.update(executable, graph);
        give(result, outcome);
        return outcome == 0 ? CudaStatus.SUCCESS : CudaException.GRAPH_EXEC_UPDATE_FAILURE;
    }

    public int cuGraphLaunch(long executable, long stream) {
        graphs.launch(executable, stream);
        return CudaStatus.SUCCESS;
    }

    public int cuGraphDestroy(long graph) {
        graphs.destroyGraph(graph);
        return CudaStatus.SUCCESS;
    }

    public int cuGraphExecDestroy(long executable) {
        graphs.destroyExecutable(executable);
        return CudaStatus.SUCCESS;
    }

    private static int give(long address, int value) {
        memory(address, Integer.BYTES).set(JAVA_INT, 0, value);
        return CudaStatus.SUCCESS;
    }

    private static int give(long address, long value) {
        memory(address, Long.BYTES).set(JAVA_LONG, 0, value);
        return CudaStatus.SUCCESS;
    }

    /** Writes a text with a zero behind it, as much of it as there is room for. */
    private static void write(long address, int room, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        MemorySegment target = memory(address, room);
        int length = Math.min(bytes.length, room - 1);
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, target, 0, length);
        target.set(JAVA_BYTE, length, (byte) 0);
    }

    private static MemorySegment memory(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }
}
