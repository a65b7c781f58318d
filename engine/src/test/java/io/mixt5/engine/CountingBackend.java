package io.mixt5.engine;

import io.mixt5.engine.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The reference's kernels over memory that keeps account of itself. */
final class CountingBackend extends HostMemory {
    private final Backend reference = new ReferenceBackend();
    private final Set<Long> live = new HashSet<>();
    /** Sizes asked for, in order. */
    final List<Long> allocated = new ArrayList<>();
    /** Addresses given back, in order. */
    final List<Long> freed = new ArrayList<>();
    /** How many blocks there can be at a time. */
    int capacity = Integer.MAX_VALUE;

    @Override
    public String name() {
        return "counting";
    }

    @Override
    public String unavailable() {
        return null;
    }

    @Override
    public long allocate(long bytes) {
        if (live.size() >= capacity) {
            throw new OutOfMemoryError("all " + capacity + " blocks are in use");
        }
        long address = super.allocate(bytes);
        allocated.add(bytes);
        live.add(address);
        return address;
    }

    @Override
    public void free(long address, long bytes) {
        if (!live.remove(address)) {
            throw new AssertionError("freed what is not there");
        }
        freed.add(address);
        super.free(address, bytes);
    }

    @Override
    public <K extends Kernel> K kernel(Class<K> type) {
        return reference.kernel(type);
    }
}
