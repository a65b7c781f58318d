package io.mixt5.ffm.cuda;

import java.lang.foreign.MemorySegment;

/**
 * The part of NVIDIA's driver API that the engine uses, with the driver's own meaning: a call that fails throws
 * {@link CudaException} with the driver's status. There are two: {@link LibCuda}, which calls {@code libcuda.so.1},
 * and the emulator, which executes the same PTX on the CPU.
 *
 * <p>Handles (contexts, modules, functions, streams, events) and device addresses are opaque numbers. Stream 0 is the
 * context's default stream. Any thread may call, once it has made a context current.
 */
public interface CudaDriver {
    /** CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT. */
    int MULTIPROCESSORS = 16;
    /** CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR. */
    int CAPABILITY_MAJOR = 75;
    /** CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR. */
    int CAPABILITY_MINOR = 76;
    /** CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, in bytes. */
    int SHARED_MEMORY_PER_BLOCK = 97;

    /** CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES. */
    int FUNCTION_DYNAMIC_SHARED_BYTES = 8;

    /** What this is, for people: the library's file and version, or the emulator. */
    String description();

    /** The newest CUDA that the driver knows, 1000 * major + 10 * minor. */
    int version();

    /** Number of devices; 0 where there are none. */
    int deviceCount();

    /** The name of device {@code ordinal}, counted from 0. */
    String deviceName(int ordinal);

    /** A CU_DEVICE_ATTRIBUTE of a device. */
    int deviceAttribute(int ordinal, int attribute);

    /** Bytes of a device's memory. */
    long totalMemory(int ordinal);

    /** Takes a share in a device's primary context; give it back by {@link #releasePrimaryContext}. */
    long retainPrimaryContext(int ordinal);

    /** Gives back a share in a device's primary context. */
    void releasePrimaryContext(int ordinal);

    /** Makes a context current for the calling thread. */
    void makeCurrent(long context);

    /**
     * Loads PTX into the current context.
     *
     * @param ptx the text in native memory, with a zero behind it
     * @param name for messages: the file
     */
    long loadModule(MemorySegment ptx, String name);

    /** Unloads a module; no kernel of it may be running. */
    void unloadModule(long module);

    /** The kernel {@code name} of a module. */
    long function(long module, String name);

    /** Sets a CU_FUNC_ATTRIBUTE of a kernel. */
    void setFunctionAttribute(long function, int attribute, int value);

    /** Reserves {@code bytes} > 0 bytes of device memory, 256-byte aligned. */
    long allocate(long bytes);

    /** Gives back what {@link #allocate} returned. */
    void free(long address);

    /** Bytes of the current device's memory that are free. */
    long freeMemory();

    /** Reserves page-locked host memory, which copies reach without staging; returns its address in this process. */
    long allocateHost(long bytes);

    /** Gives back what {@link #allocateHost} returned. */
    void freeHost(long address);

    /** Fills device memory with a byte, in the stream's order. */
    void fill(long address, byte value, long bytes, long stream);

    /** Copies host memory to the device in the stream's order; pageable memory may be reused at once. */
    void upload(long host, long device, long bytes, long stream);

    /** Copies device memory to the host in the stream's order; {@link #synchronize} before reading it. */
    void download(long device, long host, long bytes, long stream);

    /** Copies between two device addresses in the stream's order. */
    void copy(long source, long target, long bytes, long stream);

    /** Makes a stream that does not wait for the default one. */
    long createStream();

    /** Gives a stream back once its work is done. */
    void destroyStream(long stream);

    /** Waits until a stream's work is done; throws what its kernels ran into. */
    void synchronize(long stream);

    /** Makes an event; {@code timed} ones can be compared by {@link #elapsed}. */
    long createEvent(boolean timed);

    /** Gives an event back. */
    void destroyEvent(long event);

    /** Marks the stream's work so far by the event. */
    void record(long event, long stream);

    /** Makes what comes later in the stream wait for the event. */
    void await(long stream, long event);

    /** Milliseconds between two recorded timed events, once both have happened. */
    float elapsed(long from, long to);

    /** The driver's graphs; null where it has none, as the emulator. */
    default CudaGraphs graphs() {
        return null;
    }

    /**
     * Starts a kernel.
     *
     * @param name for messages: the kernel
     * @param sharedBytes dynamic shared memory of a block
     * @param parameters address of an array of addresses, one for each of the kernel's parameters, in its order; read
     * before the call returns
     */
    void launch(long function, String name, int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ,
            int sharedBytes, long stream, long parameters);
}
