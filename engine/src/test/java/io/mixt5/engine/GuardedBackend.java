package io.mixt5.engine;

import java.lang.foreign.MemorySegment;
import java.util.TreeMap;

/**
 * A backend whose every block has guard zones before and behind it and starts out as NaNs: an overrun or the use of
 * something never written shows. For host-visible backends.
 */
public final class GuardedBackend implements Backend {
    private static final int GUARD = 256;
    private static final byte PATTERN = (byte) 0xff;

    private final Backend backend;
    private final TreeMap<Long, Long> live = new TreeMap<>();

    /** Guards what {@code backend} allocates. */
    public GuardedBackend(Backend backend) {
        this.backend = backend;
    }

    /** Throws when a byte around a live block has changed. */
    public synchronized void check() {
        live.forEach(GuardedBackend::check);
    }

    private static void check(long address, long bytes) {
        for (int i = 0; i < GUARD; i++) {
            if (Memory.ALL.get(java.lang.foreign.ValueLayout.JAVA_BYTE, address - 1 - i) != PATTERN) {
                throw new AssertionError("a kernel wrote " + (i + 1) + " bytes before a buffer of " + bytes + " bytes");
            }
            if (Memory.ALL.get(java.lang.foreign.ValueLayout.JAVA_BYTE, address + bytes + i) != PATTERN) {
                throw new AssertionError("a kernel wrote " + i + " bytes behind a buffer of " + bytes + " bytes");
            }
        }
    }

    @Override
    public String name() {
        return backend.name();
    }

    @Override
    public String unavailable() {
        return backend.unavailable();
    }

    @Override
    public boolean hostVisible() {
        return true;
    }

    @Override
    public synchronized long allocate(long bytes) {
        long address = backend.allocate(bytes + 2 * GUARD);
        Memory.fill(address, bytes + 2 * GUARD, PATTERN);
        live.put(address + GUARD, bytes);
        return address + GUARD;
    }

    @Override
    public synchronized void free(long address, long bytes) {
        check(address, bytes);
        live.remove(address);
        backend.free(address - GUARD, bytes + 2 * GUARD);
    }

    @Override
    public void zero(long address, long bytes) {
        backend.zero(address, bytes);
    }

    @Override
    public void copy(long source, long target, long bytes) {
        backend.copy(source, target, bytes);
    }

    @Override
    public void upload(MemorySegment source, long target) {
        backend.upload(source, target);
    }

    @Override
    public void download(long source, MemorySegment target) {
        backend.download(source, target);
    }

    @Override
    public <K extends Kernel> K kernel(Class<K> type) {
        return backend.kernel(type);
    }
}
