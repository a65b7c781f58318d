package io.mixt5.kernels.cuda;

import java.lang.foreign.MemorySegment;

/**
 * Page-locked memory through which all copies between host and device go, so that uploads run beside the host's work.
 * Uploads take one piece after another; when none is left, they wait for the device. A download waits for it anyway.
 */
final class Staging {
    private static final long BYTES = 4L << 20;
    private static final long ALIGNMENT = 256;

    private final CudaGpu gpu;
    private final MemorySegment memory;
    private long used;

    Staging(CudaGpu gpu) {
        this.gpu = gpu;
        memory = gpu.pinned(BYTES);
    }

    synchronized void upload(MemorySegment source, long target) {
        long length = source.byteSize();
        for (long done = 0; done < length;) {
            if (used == BYTES) {
                synchronize();
            }
            long piece = Math.min(length - done, BYTES - used);
            MemorySegment.copy(source, done, memory, used, piece);
            gpu.stream().upload(memory.address() + used, target + done, piece);
            used = Math.min(BYTES, (used + piece + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
            done += piece;
        }
    }

    synchronized void download(long source, MemorySegment target) {
        long length = target.byteSize();
        for (long done = 0; done < length;) {
            long piece = Math.min(length - done, BYTES);
            // Uploads that still read this memory come earlier in the stream.
            gpu.stream().download(source + done, memory.address(), piece);
            synchronize();
            MemorySegment.copy(memory, 0, target, done, piece);
            done += piece;
        }
    }

    /** Waits until all work is done, and with it all copies. */
    synchronized void synchronize() {
        gpu.stream().synchronize();
        used = 0;
    }
}
