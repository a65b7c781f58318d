package io.mixt5.engine;

import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;

/**
 * What a kind of device offers: memory and kernels. Found by {@link java.util.ServiceLoader}, so that the engine knows
 * no backend by name but its own {@code reference}.
 *
 * <p>Addresses are the device's own; only a backend whose {@link #hostVisible()} is true hands out addresses that Java
 * can read. Methods may be called from any thread.
 */
public interface Backend {
    /** The name in configurations: {@code cpu}, {@code cuda}, {@code reference}. */
    String name();

    /**
     * This kind's device number {@code n}, counted from 0, as {@code cuda:1} names one; null where there is none. Asked
     * only of a backend that is not {@link #unavailable}.
     */
    default Backend ordinal(int n) {
        return n == 0 ? this : null;
    }

    /** Null when the backend works here, else one sentence that says what is missing and what to do. */
    String unavailable();

    /** Whether device addresses are addresses of this process. */
    boolean hostVisible();

    /** Reserves {@code bytes} > 0 bytes, 64-byte aligned, content undefined. Throws OutOfMemoryError, its message saying what is free where that is known. */
    long allocate(long bytes);

    /** Gives back what {@link #allocate} returned. */
    void free(long address, long bytes);

    /** Fills {@code bytes} bytes at a device address with zeros. */
    void zero(long address, long bytes);

    /** Copies between two device addresses. */
    void copy(long source, long target, long bytes);

    /** Copies host memory to the device. */
    void upload(MemorySegment source, long target);

    /** Copies device memory to the host; returns when the bytes are there. */
    void download(long source, MemorySegment target);

    /**
     * Does {@code work}, whose many short kernels the device may start as a whole, when all of them are known: for work
     * that would otherwise wait for its launches. It may do whatever it may do outside; what reads something back ends a
     * whole, so let that come after.
     */
    default <T> T together(Supplier<T> work) {
        return work.get();
    }

    /** This backend's implementation of an op. Throws UnsupportedOperationException that says why there is none. */
    <K extends Kernel> K kernel(Class<K> type);
}
