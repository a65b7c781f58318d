package io.mixt5.kernels.cuda;

import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The arguments of one launch, in the kernel's order. There is one of these per thread and device, used again and
 * again, so that a launch allocates nothing.
 */
final class Launch {
    private static final int MOST_PARAMETERS = 64;
    private static final long SLOT = 8;

    private final CudaGpu gpu;
    /** Keeps the memory behind {@link #parameters} from being collected. */
    private final MemorySegment memory;
    /** Address of the addresses of all slots, which lie behind. */
    private final long parameters;
    private CudaModule.Function function;
    private int count;

    Launch(CudaGpu gpu) {
        this.gpu = gpu;
        memory = Arena.ofAuto().allocate(2 * SLOT * MOST_PARAMETERS, SLOT);
        parameters = memory.address();
        for (int i = 0; i < MOST_PARAMETERS; i++) {
            Memory.ALL.set(ValueLayout.JAVA_LONG, parameters + i * SLOT, slot(i));
        }
    }

    private long slot(int parameter) {
        return parameters + (MOST_PARAMETERS + parameter) * SLOT;
    }

    /** The kernel that was given last. */
    CudaModule.Function function() {
        return function;
    }

    /** Address of an array of the arguments' addresses. */
    long parameters() {
        return parameters;
    }

    /** The arguments so far, each as the 64 bits of which it may use a part. */
    long[] arguments() {
        return Memory.ALL.asSlice(slot(0), count * SLOT).toArray(ValueLayout.JAVA_LONG);
    }

    Launch of(CudaModule.Function next) {
        function = next;
        count = 0;
        return this;
    }

    /** A pointer to a tensor's elements; 0 for null. */
    Launch tensor(Tensor tensor) {
        return address(tensor == null ? 0 : tensor.address());
    }

    /** A pointer, or any 64-bit integer. */
    Launch address(long value) {
        Memory.ALL.set(ValueLayout.JAVA_LONG, slot(count++), value);
        return this;
    }

    /** An {@code int64_t}. */
    Launch int64(long value) {
        return address(value);
    }

    /** Any arguments, as {@link #arguments} gives them. */
    Launch int64(long[] values) {
        for (long value : values) {
            address(value);
        }
        return this;
    }

    /** An {@code int}. */
    Launch int32(int value) {
        Memory.ALL.set(ValueLayout.JAVA_INT, slot(count++), value);
        return this;
    }

    /** A {@code float}. */
    Launch float32(float value) {
        Memory.ALL.set(ValueLayout.JAVA_FLOAT, slot(count++), value);
        return this;
    }

    /** A {@code double}. */
    Launch float64(double value) {
        return address(Double.doubleToRawLongBits(value));
    }

    /** A {@code bool}. */
    Launch bool(boolean value) {
        Memory.ALL.set(ValueLayout.JAVA_BYTE, slot(count++), (byte) (value ? 1 : 0));
        return this;
    }

    /** Starts {@code blocks} blocks of {@code threads} threads; none when there are no blocks. */
    void run(long blocks, int threads) {
        run(blocks, 1, 1, threads, 0);
    }

    /**
     * Starts blocks of {@code threads} threads with {@code shared} bytes of dynamic shared memory; none when a side of
     * the grid is 0.
     *
     * @throws ArithmeticException past 2^31 - 1 blocks along x
     */
    void run(long gridX, int gridY, int gridZ, int threads, int shared) {
        if (gridX > 0 && gridY > 0 && gridZ > 0) {
            gpu.stream().launch(this, Math.toIntExact(gridX), gridY, gridZ, threads, shared);
        }
    }
}
