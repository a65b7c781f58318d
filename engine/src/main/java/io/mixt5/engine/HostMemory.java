package io.mixt5.engine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentHashMap;

/** The memory half of a {@link Backend} whose tensors lie in this process's own memory. */
public abstract class HostMemory implements Backend {
    private final ConcurrentHashMap<Long, Arena> arenas = new ConcurrentHashMap<>();

    @Override
    public boolean hostVisible() {
        return true;
    }

    @Override
    public long allocate(long bytes) {
        Arena arena = Arena.ofShared();
        long address;
        try {
            address = arena.allocate(bytes, 64).address();
        } catch (OutOfMemoryError e) {
            arena.close();
            throw e;
        }
        arenas.put(address, arena);
        return address;
    }

    @Override
    public void free(long address, long bytes) {
        arenas.remove(address).close();
    }

    @Override
    public void zero(long address, long bytes) {
        Memory.fill(address, bytes, (byte) 0);
    }

    @Override
    public void copy(long source, long target, long bytes) {
        Memory.copy(source, target, bytes);
    }

    @Override
    public void upload(MemorySegment source, long target) {
        MemorySegment.copy(source, 0, Memory.ALL, target, source.byteSize());
    }

    @Override
    public void download(long source, MemorySegment target) {
        MemorySegment.copy(Memory.ALL, source, target, 0, target.byteSize());
    }
}
