package io.mixt5.engine;

import java.util.Objects;
import java.util.ServiceLoader;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A place where tensors live: a {@link Backend} with a caching allocator over it.
 *
 * <p>Freed blocks are kept by size class and handed out again, so that a warm training step asks the system for
 * nothing. Thread-safe.
 */
public final class Device {
    private static final ConcurrentHashMap<String, Device> DEVICES = new ConcurrentHashMap<>();
    private static final Pattern NAME = Pattern.compile("([^:]*)(?::(\\d{1,4}))?");

    private final String name;

    private final Backend backend;
    private final BlockCache cache;

    private Device(String name, Backend backend, boolean exact) {
        this.name = name;
        this.backend = backend;
        this.cache = new BlockCache(backend, exact);
    }

    /**
     * The device of that name, one instance per process.
     *
     * @param name a backend's, followed, where it has several devices, by a colon and a number from 0: {@code cuda} is
     * {@code cuda:0}
     * @throws UserException when no backend has the name or it does not work here, saying why
     */
    public static Device of(String name) {
        Objects.requireNonNull(name, "name");
        return DEVICES.computeIfAbsent(name.endsWith(":0") ? name.substring(0, name.length() - 2) : name, Device::open);
    }

    /** Null when {@link #of} gives a device of that name, else its sentence. */
    public static String unavailable(String name) {
        try {
            of(name);
            return null;
        } catch (UserException e) {
            return e.getMessage();
        }
    }

    /**
     * A device of its own over {@code backend} that asks it for every tensor's exact size and keeps nothing: for tests.
     */
    public static Device uncached(Backend backend) {
        Objects.requireNonNull(backend, "backend");
        return new Device(backend.name(), backend, true);
    }

    private static Device open(String name) {
        Matcher parts = NAME.matcher(name);
        String kind = parts.matches() ? parts.group(1) : name;
        int ordinal = parts.matches() && parts.group(2) != null ? Integer.parseInt(parts.group(2)) : 0;
        StringBuilder known = new StringBuilder();
        for (Backend backend : ServiceLoader.load(Backend.class, Device.class.getClassLoader())) {
            if (backend.name().equals(kind)) {
                return new Device(name, working(name, backend, ordinal), false);
            }
            known.append(known.isEmpty() ? "" : ", ").append(backend.name());
        }
        throw new UserException("there is no device '" + name + "'; choose one of " + known);
    }

    private static Backend working(String name, Backend first, int ordinal) {
        requireAvailable(name, first);
        Backend backend = first.ordinal(ordinal);
        if (backend == null) {
            throw new UserException("there is no device '" + name + "': " + first.name()
                    + " has none of that number here; count from " + first.name() + ":0");
        }
        requireAvailable(name, backend);
        return backend;
    }

    private static void requireAvailable(String name, Backend backend) {
        String reason = backend.unavailable();
        if (reason != null) {
            throw new UserException("device '" + name + "' cannot be used: " + reason);
        }
    }

    /** The name it was asked for by, as {@code cpu} or {@code cuda:1}; number 0 goes without saying. */
    public String name() {
        return name;
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
