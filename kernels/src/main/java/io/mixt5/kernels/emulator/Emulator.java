package io.mixt5.kernels.emulator;

import io.mixt5.ffm.cuda.CudaDriver;
import io.mixt5.ffm.cuda.CudaException;
import io.mixt5.kernels.emulator.machine.Grid;
import io.mixt5.kernels.emulator.machine.Segment;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * CUDA's driver without a GPU: it executes PTX on the CPU.
 *
 * <p>All work is done when it is asked for, so streams and events have nothing to wait for. A kernel that goes wrong
 * throws from its launch, not later, with the finding as message: which kernel, which line of PTX, which block and
 * thread. As on a GPU the context is lost then, and every later call fails until the last share in it is given back.
 *
 * <p>Memory that was never written holds NaNs. Whoever calls at the same time takes turns.
 */
public final class Emulator implements CudaDriver {
    private static final int VERSION = 12_000;
    private static final int INVALID_CONTEXT = 201;
    private static final int NEWEST_PTX = 80;
    private static final int MULTIPROCESSORS_OF_DEVICE = 4;
    private static final long HOST_ALIGNMENT = 4096;

    private final EmulatorSettings settings;
    private final EmulatedDevice[] devices;
    private final ThreadLocal<Integer> current = new ThreadLocal<>();
    private final Map<Long, EmulatedModule> modules = new HashMap<>();
    private final Map<Long, EmulatedFunction> functions = new HashMap<>();
    private final Map<Long, Integer> streams = new HashMap<>();
    private final Map<Long, Event> events = new HashMap<>();
    private final Map<Long, Arena> hostMemory = new HashMap<>();
    private final SplittableRandom random;
    private long lastHandle = 0x1000;

    /** When an event happened. */
    private static final class Event {
        private final boolean timed;
        private long nanos = Long.MIN_VALUE;

        Event(boolean timed) {
            this.timed = timed;
        }
    }

    /** With {@link EmulatorSettings#DEFAULT}. */
    public Emulator() {
        this(EmulatorSettings.DEFAULT);
    }

    /** With settings of one's own. */
    public Emulator(EmulatorSettings settings) {
        this.settings = settings;
        devices = new EmulatedDevice[settings.devices()];
        for (int i = 0; i < devices.length; i++) {
            devices[i] = new EmulatedDevice(settings.memory(), settings.monitor());
        }
        random = settings.order() == null ? null : new SplittableRandom(settings.order());
    }

    @Override
    public String description() {
        return "the PTX emulator";
    }

    @Override
    public int version() {
        return VERSION;
    }

    @Override
    public int deviceCount() {
        return devices.length;
    }

    @Override
    public String deviceName(int ordinal) {
        requireDevice("cuDeviceGetName", ordinal);
        return "MixT5 PTX emulator, compute capability " + settings.capability() / 10 + "."
                + settings.capability() % 10;
    }

    @Override
    public int deviceAttribute(int ordinal, int attribute) {
        requireDevice("cuDeviceGetAttribute", ordinal);
        return switch (attribute) {
            case MULTIPROCESSORS -> MULTIPROCESSORS_OF_DEVICE;
            case CAPABILITY_MAJOR -> settings.capability() / 10;
            case CAPABILITY_MINOR -> settings.capability() % 10;
            case SHARED_MEMORY_PER_BLOCK -> mostSharedBytes();
            default -> throw new CudaException(CudaException.INVALID_VALUE, "cuDeviceGetAttribute",
                    "the emulator does not know attribute " + attribute);
        };
    }

    /** From the CUDA programming guide, technical specifications per compute capability. */
    private int mostSharedBytes() {
        return switch (settings.capability()) {
            case 80, 87 -> 163 << 10;
            case 86, 89 -> 99 << 10;
            case 90 -> 227 << 10;
            default -> 64 << 10;
        };
    }

    @Override
    public long totalMemory(int ordinal) {
        requireDevice("cuDeviceTotalMem", ordinal);
        return settings.memory();
    }

    private void requireDevice(String call, int ordinal) {
        if (ordinal < 0 || ordinal >= devices.length) {
            throw new CudaException(CudaException.INVALID_DEVICE, call, "device " + ordinal + " of " + devices.length);
        }
    }

    @Override
    public synchronized long retainPrimaryContext(int ordinal) {
        requireDevice("cuDevicePrimaryCtxRetain", ordinal);
        devices[ordinal].retain();
        return ordinal + 1;
    }

    @Override
    public synchronized void releasePrimaryContext(int ordinal) {
        requireDevice("cuDevicePrimaryCtxRelease", ordinal);
        if (!devices[ordinal].release()) {
            throw new CudaException(CudaException.INVALID_VALUE, "cuDevicePrimaryCtxRelease",
                    "nobody holds the primary context of device " + ordinal);
        }
        if (!devices[ordinal].active()) {
            functions.values().removeIf(function -> function.module().device() == devices[ordinal]);
            modules.values().removeIf(module -> module.device() == devices[ordinal]);
        }
    }

    @Override
    public synchronized void makeCurrent(long context) {
        if (context == 0) {
            current.remove();
            return;
        }
        if (context < 1 || context > devices.length || !devices[(int) context - 1].active()) {
            throw new CudaException(CudaException.INVALID_HANDLE, "cuCtxSetCurrent", "there is no context " + context);
        }
        current.set((int) context - 1);
    }

    /** The calling thread's device, if its context is current and not lost. */
    private EmulatedDevice device(String call) {
        Integer ordinal = current.get();
        if (ordinal == null || !devices[ordinal].active()) {
            throw new CudaException(INVALID_CONTEXT, call, "the calling thread has no current context");
        }
        devices[ordinal].requireUsable(call);
        return devices[ordinal];
    }

    @Override
    @SuppressWarnings("restricted")
    public synchronized long loadModule(MemorySegment ptx, String name) {
        EmulatedDevice device = device("cuModuleLoadData");
        String text = ptx.reinterpret(Long.MAX_VALUE).getString(0);
        EmulatedModule module = new EmulatedModule("cuModuleLoadData", device, name, text, settings, NEWEST_PTX);
        modules.put(++lastHandle, module);
        return lastHandle;
    }

    @Override
    public synchronized void unloadModule(long module) {
        device("cuModuleUnload");
        EmulatedModule unloaded = require("cuModuleUnload", modules, module);
        modules.remove(module);
        functions.values().removeIf(function -> function.module() == unloaded);
        unloaded.unload("cuModuleUnload");
    }

    @Override
    public synchronized long function(long module, String name) {
        device("cuModuleGetFunction");
        EmulatedModule owner = require("cuModuleGetFunction", modules, module);
        Grid kernel = owner.kernel(name);
        if (kernel == null) {
            throw new CudaException(CudaException.NOT_FOUND, "cuModuleGetFunction", "no kernel " + name + " in "
                    + owner.name() + ", which has " + owner.kernelNames());
        }
        functions.put(++lastHandle, new EmulatedFunction(owner, kernel, owner.name(), mostSharedBytes()));
        return lastHandle;
    }

    @Override
    public synchronized void setFunctionAttribute(long function, int attribute, int value) {
        device("cuFuncSetAttribute");
        if (attribute != FUNCTION_DYNAMIC_SHARED_BYTES) {
            throw new CudaException(CudaException.INVALID_VALUE, "cuFuncSetAttribute",
                    "the emulator does not know attribute " + attribute);
        }
        require("cuFuncSetAttribute", functions, function).allowDynamicShared("cuFuncSetAttribute", value);
    }

    private static <T> T require(String call, Map<Long, T> map, long handle) {
        T found = map.get(handle);
        if (found == null) {
            throw new CudaException(CudaException.INVALID_HANDLE, call, "0x" + Long.toHexString(handle)
                    + " is no handle of this kind, or no longer one");
        }
        return found;
    }

    @Override
    public synchronized long allocate(long bytes) {
        Segment segment = device("cuMemAlloc").allocate("cuMemAlloc", bytes);
        return segment.base();
    }

    @Override
    public synchronized void free(long address) {
        device("cuMemFree").free("cuMemFree", address);
    }

    @Override
    public synchronized long freeMemory() {
        return device("cuMemGetInfo").memory().available();
    }

    @Override
    public synchronized long allocateHost(long bytes) {
        device("cuMemAllocHost");
        if (bytes <= 0) {
            throw new CudaException(CudaException.INVALID_VALUE, "cuMemAllocHost", bytes
                    + " bytes cannot be allocated");
        }
        Arena arena = Arena.ofShared();
        long address = arena.allocate(bytes, HOST_ALIGNMENT).address();
        hostMemory.put(address, arena);
        return address;
    }

    @Override
    public synchronized void freeHost(long address) {
        Arena arena = hostMemory.remove(address);
        if (arena == null) {
            throw new CudaException(CudaException.INVALID_VALUE, "cuMemFreeHost", "no host memory begins at 0x"
                    + Long.toHexString(address));
        }
        arena.close();
    }

    @Override
    public synchronized void fill(long address, byte value, long bytes, long stream) {
        stream("cuMemsetD8Async", stream).fill("cuMemsetD8Async", address, value, bytes);
    }

    @Override
    public synchronized void upload(long host, long device, long bytes, long stream) {
        stream("cuMemcpyHtoDAsync", stream).upload("cuMemcpyHtoDAsync", host, device, bytes);
    }

    @Override
    public synchronized void download(long device, long host, long bytes, long stream) {
        stream("cuMemcpyDtoHAsync", stream).download("cuMemcpyDtoHAsync", device, host, bytes);
    }

    @Override
    public synchronized void copy(long source, long target, long bytes, long stream) {
        stream("cuMemcpyDtoDAsync", stream).copy("cuMemcpyDtoDAsync", source, target, bytes);
    }

    /** The device of a stream: the current one, which the stream must belong to. */
    private EmulatedDevice stream(String call, long stream) {
        EmulatedDevice device = device(call);
        if (stream != 0 && devices[require(call, streams, stream)] != device) {
            throw new CudaException(CudaException.INVALID_HANDLE, call, "the stream belongs to another device");
        }
        return device;
    }

    @Override
    public synchronized long createStream() {
        device("cuStreamCreate");
        streams.put(++lastHandle, current.get());
        return lastHandle;
    }

    @Override
    public synchronized void destroyStream(long stream) {
        require("cuStreamDestroy", streams, stream);
        streams.remove(stream);
    }

    @Override
    public synchronized void synchronize(long stream) {
        stream("cuStreamSynchronize", stream);
    }

    @Override
    public synchronized long createEvent(boolean timed) {
        device("cuEventCreate");
        events.put(++lastHandle, new Event(timed));
        return lastHandle;
    }

    @Override
    public synchronized void destroyEvent(long event) {
        require("cuEventDestroy", events, event);
        events.remove(event);
    }

    @Override
    public synchronized void record(long event, long stream) {
        stream("cuEventRecord", stream);
        require("cuEventRecord", events, event).nanos = System.nanoTime();
    }

    @Override
    public synchronized void await(long stream, long event) {
        device("cuStreamWaitEvent");
        if (stream != 0) {
            require("cuStreamWaitEvent", streams, stream);
        }
        require("cuStreamWaitEvent", events, event);
    }

    @Override
    public synchronized float elapsed(long from, long to) {
        Event first = require("cuEventElapsedTime", events, from);
        Event second = require("cuEventElapsedTime", events, to);
        if (!first.timed || !second.timed || first.nanos == Long.MIN_VALUE || second.nanos == Long.MIN_VALUE) {
            throw new CudaException(CudaException.INVALID_HANDLE, "cuEventElapsedTime",
                    "both events must be timed and recorded");
        }
        return (second.nanos - first.nanos) / 1e6f;
    }

    @Override
    public synchronized void launch(long function, String name, int gridX, int gridY, int gridZ, int blockX, int blockY,
            int blockZ, int sharedBytes, long stream, long parameters) {
        EmulatedDevice device = stream("cuLaunchKernel", stream);
        EmulatedFunction launched = require("cuLaunchKernel", functions, function);
        if (launched.module().device() != device) {
            throw new CudaException(CudaException.INVALID_HANDLE, "cuLaunchKernel", name
                    + " was loaded on another device");
        }
        try {
            launched.launch("cuLaunchKernel", new int[]{gridX, gridY, gridZ}, new int[]{blockX, blockY, blockZ},
                    sharedBytes, parameters, random == null ? null : random.split());
        } catch (Fault fault) {
            CudaException failure = new CudaException(fault.kind() == Fault.Kind.ILLEGAL_ADDRESS
                    ? CudaException.ILLEGAL_ADDRESS
                    : CudaException.LAUNCH_FAILED, "cuLaunchKernel", fault.getMessage());
            failure.initCause(fault);
            device.lose(failure);
            throw failure;
        }
    }
}
