package io.mixt5.kernels.cuda;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/**
 * Small tables on the device, found again by their content: a batch's layout serves all layers, the optimiser's
 * addresses all steps. One block of memory holds them; when it is full, all of them go.
 */
final class Tables {
    private static final long BYTES = 8L << 20;
    private static final long ALIGNMENT = 64;

    private final CudaGpu gpu;
    private final long memory;
    private final Map<ByteBuffer, Long> places = new HashMap<>();
    private long used;

    Tables(CudaGpu gpu) {
        this.gpu = gpu;
        memory = gpu.driver().allocate(BYTES);
    }

    /** The address of a copy of {@code content}. */
    synchronized long get(MemorySegment content) {
        long length = content.byteSize();
        if (length > BYTES) {
            throw new IllegalArgumentException("a table of " + length + " bytes does not fit into " + BYTES);
        }
        byte[] copy = content.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
        Long known = places.get(ByteBuffer.wrap(copy));
        if (known != null) {
            return known;
        }
        if (used + length > BYTES) {
            // What was launched before reads the old tables before the new ones arrive, being earlier in the stream.
            places.clear();
            used = 0;
        }
        long address = memory + used;
        if (length > 0) {
            gpu.upload(content, address);
        }
        places.put(ByteBuffer.wrap(copy), address);
        used += Math.ceilDiv(length, ALIGNMENT) * ALIGNMENT;
        return address;
    }
}
