package io.mixt5.ffm.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A driver with one device of a few kilobytes, whose addresses are made up and which knows one kernel, {@code add(float
 * *values, float value, int count)}. It notes every call with its arguments, and what has not been given back.
 */
@SuppressWarnings("restricted")
public final class FakeDriver implements CudaDriver {
    /** Bytes of the device. */
    public static final long MEMORY = 1 << 16;
    private static final long CONTEXT = 0x11;
    private static final long FIRST_ADDRESS = 0x700000000000L;

    /** The calls, such as {@code copy 1 2 3 4}. */
    public final List<String> calls = new ArrayList<>();
    /** What has not been given back: handle or address to kind. */
    public final Map<Long, String> live = new TreeMap<>();
    private final TreeMap<Long, MemorySegment> blocks = new TreeMap<>();
    private final Map<Long, Arena> hostBlocks = new TreeMap<>();
    private long nextHandle = 0x100;
    private long nextAddress = FIRST_ADDRESS;

    private long handle(String kind) {
        live.put(++nextHandle, kind);
        return nextHandle;
    }

    private void give(String kind, long handle) {
        if (!live.remove(handle, kind)) {
            throw new CudaException(CudaException.INVALID_HANDLE, kind, "no " + kind + " " + handle);
        }
    }

    private void note(String call, Object... arguments) {
        StringBuilder text = new StringBuilder(call);
        for (Object argument : arguments) {
            text.append(' ').append(argument);
        }
        calls.add(text.toString());
    }

    /** A stretch of device memory, all of it inside one allocation. */
    public MemorySegment memory(long address, long bytes) {
        Map.Entry<Long, MemorySegment> block = blocks.floorEntry(address);
        if (block == null || address + bytes > block.getKey() + block.getValue().byteSize()) {
            throw new CudaException(CudaException.ILLEGAL_ADDRESS, "memory", bytes + " bytes at " + address);
        }
        return block.getValue().asSlice(address - block.getKey(), bytes);
    }

    private static MemorySegment host(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }

    @Override
    public String description() {
        return "a fake";
    }

    @Override
    public int version() {
        return 12060;
    }

    @Override
    public int deviceCount() {
        return 1;
    }

    @Override
    public String deviceName(int ordinal) {
        return "Fake GPU " + ordinal;
    }

    @Override
    public int deviceAttribute(int ordinal, int attribute) {
        return 1000 * ordinal + attribute;
    }

    @Override
    public long totalMemory(int ordinal) {
        return MEMORY;
    }

    @Override
    public long retainPrimaryContext(int ordinal) {
        note("retainPrimaryContext", ordinal);
        live.put(CONTEXT, "context");
        return CONTEXT;
    }

    @Override
    public void releasePrimaryContext(int ordinal) {
        note("releasePrimaryContext", ordinal);
        give("context", CONTEXT);
    }

    @Override
    public void makeCurrent(long context) {
        note("makeCurrent", context);
    }

    @Override
    public long loadModule(MemorySegment ptx, String name) {
        String text = ptx.getString(0);
        note("loadModule", text, ptx.byteSize());
        if (!text.startsWith(".version")) {
            throw new CudaException(CudaException.INVALID_PTX, "loadModule", "line 1: no .version");
        }
        return handle("module");
    }

    @Override
    public void unloadModule(long module) {
        give("module", module);
    }

    @Override
    public long function(long module, String name) {
        if (!name.equals("add")) {
            throw new CudaException(CudaException.NOT_FOUND, "function", name);
        }
        return 0xadd;
    }

    @Override
    public void setFunctionAttribute(long function, int attribute, int value) {
        note("setFunctionAttribute", function, attribute, value);
    }

    @Override
    public long allocate(long bytes) {
        if (bytes > freeMemory()) {
            throw new CudaException(CudaException.OUT_OF_MEMORY, "allocate", bytes + " bytes");
        }
        long address = nextAddress;
        nextAddress += (bytes + 255) / 256 * 256 + 256;
        blocks.put(address, MemorySegment.ofArray(new long[Math.toIntExact((bytes + 7) / 8)]).asSlice(0, bytes));
        live.put(address, "memory");
        return address;
    }

    @Override
    public void free(long address) {
        give("memory", address);
        blocks.remove(address);
    }

    @Override
    public long freeMemory() {
        return MEMORY - blocks.values().stream().mapToLong(MemorySegment::byteSize).sum();
    }

    @Override
    public long allocateHost(long bytes) {
        Arena arena = Arena.ofShared();
        long address = arena.allocate(bytes, 64).address();
        hostBlocks.put(address, arena);
        live.put(address, "host memory");
        return address;
    }

    @Override
    public void freeHost(long address) {
        give("host memory", address);
        hostBlocks.remove(address).close();
    }

    @Override
    public void fill(long address, byte value, long bytes, long stream) {
        note("fill", address, value, bytes, stream);
        memory(address, bytes).fill(value);
    }

    @Override
    public void upload(long host, long device, long bytes, long stream) {
        note("upload", host, device, bytes, stream);
        memory(device, bytes).copyFrom(host(host, bytes));
    }

    @Override
    public void download(long device, long host, long bytes, long stream) {
        note("download", device, host, bytes, stream);
        host(host, bytes).copyFrom(memory(device, bytes));
    }

    @Override
    public void copy(long source, long target, long bytes, long stream) {
        note("copy", source, target, bytes, stream);
        memory(target, bytes).copyFrom(memory(source, bytes));
    }

    @Override
    public long createStream() {
        return handle("stream");
    }

    @Override
    public void destroyStream(long stream) {
        give("stream", stream);
    }

    @Override
    public void synchronize(long stream) {
        note("synchronize", stream);
    }

    @Override
    public long createEvent(boolean timed) {
        note("createEvent", timed);
        return handle("event");
    }

    @Override
    public void destroyEvent(long event) {
        give("event", event);
    }

    @Override
    public void record(long event, long stream) {
        note("record", event, stream);
    }

    @Override
    public void await(long stream, long event) {
        note("await", stream, event);
    }

    @Override
    public float elapsed(long from, long to) {
        note("elapsed", from, to);
        return 1.5f;
    }

    @Override
    public void launch(long function, String name, int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ,
            int sharedBytes, long stream, long parameters) {
        note("launch", function, name, gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes, stream);
        MemorySegment pointers = host(parameters, 3 * Long.BYTES);
        long values = host(pointers.getAtIndex(JAVA_LONG, 0), Long.BYTES).get(JAVA_LONG, 0);
        float value = host(pointers.getAtIndex(JAVA_LONG, 1), Float.BYTES).get(JAVA_FLOAT, 0);
        int count = host(pointers.getAtIndex(JAVA_LONG, 2), Integer.BYTES).get(JAVA_INT, 0);
        if (count < 0) {
            throw new IllegalStateException("the fake's kernel was given a count of " + count);
        }
        MemorySegment array = memory(values, (long) count * Float.BYTES);
        for (int i = 0; i < count; i++) {
            array.setAtIndex(JAVA_FLOAT, i, array.getAtIndex(JAVA_FLOAT, i) + value);
        }
    }
}
