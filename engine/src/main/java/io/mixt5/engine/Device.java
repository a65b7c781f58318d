package io.mixt5.engine;

import java.util.ServiceLoader;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A place where tensors live: a {@link Backend} with a caching allocator over it.
 *
 * <p>Freed blocks are kept by size class and handed out again, so that a warm training step asks the system for
 * nothing. Thread-safe.
 */
public final class Device {
    private static final ConcurrentHashMap<String, Device> DEVICES = new ConcurrentHashMap<>();

    private final Backend backend;
    private final BlockCache cache;

    private Device(Backend backend, boolean exact) {
        this.backend = backend;
        this.cache = new BlockCache(backend, exact);
    }

    /**
     * The device of that name, one instance per process.
     *
     * @throws UserException when no backend has the name or it does not work here, saying why
     */
    public static Device of(String name) {
        return DEVICES.computeIfAbsent(name, Device::open);
    }

    /**
     * A device of its own over {@code backend} that asks it for every tensor's exact size and keeps nothing: for tests.
     */
    public static Device uncached(Backend backend) {
        return new Device(backend, true);
    }

    private static Device open(String name) {
        StringBuilder known = new StringBuilder();
        for (Backend backend : ServiceLoader.load(Backend.class, Device.class.getClassLoader())) {
            if (backend.name().equals(name)) {
                String reason = backend.unavailable();
                if (reason != null) {
                    throw new UserException("device '" + name + "' cannot be used: " + reason);
                }
                return new Device(backend, false);
            }
            known.append(known.isEmpty() ? "" : ", ").append(backend.name());
        }
        throw new UserException("there is no device '" + name + "'; choose one of " + known);
    }

    /** The backend's name. */
    public String name() {
        return backend.name();
    }

    /** What runs the ops here. */
    public Backend backend() {
        return backend;
    }

    /** Bytes now held by tensors. */
    public long liveBytes() {
        return cache.liveBytes();
    }

    /** Number of tensors now alive, for leak checks. */
    public long liveTensors() {
        return cache.liveBlocks();
    }

    /** Bytes taken from the system, in use or cached. */
    public long reservedBytes() {
        return cache.reservedBytes();
    }

    /** Gives cached blocks back to the system. */
    public void trim() {
        cache.trim();
    }

    /** The kernel for op interface {@code type} on tensors of {@code dtype}; throws when there is none, saying why. */
    public <K extends Kernel> K kernel(Class<K> type, DType dtype) {
        K kernel = backend.kernel(type);
        String reason = kernel.unsupported(dtype);
        if (reason != null) {
            throw new UnsupportedOperationException(
                    type.getEnclosingClass().getSimpleName() + " on " + name() + " does not take " + dtype + ": "
                            + reason);
        }
        return kernel;
    }

    BlockCache.Block allocate(long bytes) {
        return cache.allocate(bytes);
    }

    void free(BlockCache.Block block) {
        cache.free(block);
    }

    @Override
    public String toString() {
        return name();
    }
}
