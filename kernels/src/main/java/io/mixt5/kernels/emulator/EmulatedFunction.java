package io.mixt5.kernels.emulator;

import io.mixt5.engine.Memory;
import io.mixt5.ffm.cuda.CudaException;
import io.mixt5.kernels.emulator.machine.Grid;
import io.mixt5.kernels.emulator.machine.Program;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;

/** A kernel as the driver hands it out: checks what it is launched with. */
final class EmulatedFunction {
    private static final int USUAL_SHARED_BYTES = 48 << 10;
    private static final int MOST_THREADS = 1024;
    private static final int MOST_THREADS_Z = 64;
    private static final int MOST_BLOCKS_YZ = 65535;

    private final EmulatedModule module;
    private final Grid grid;
    private final String file;
    private final int mostSharedBytes;
    private int dynamicSharedBytes;

    /**
     * Of a module.
     *
     * @param file the name the PTX was loaded under
     * @param mostSharedBytes a block may be given if asked for
     */
    EmulatedFunction(EmulatedModule module, Grid grid, String file, int mostSharedBytes) {
        this.module = module;
        this.grid = grid;
        this.file = file;
        this.mostSharedBytes = mostSharedBytes;
        dynamicSharedBytes = Math.max(0, USUAL_SHARED_BYTES - grid.program().sizes().sharedBytes());
    }

    EmulatedModule module() {
        return module;
    }

    /** CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES. */
    void allowDynamicShared(String call, int bytes) {
        int most = mostSharedBytes - grid.program().sizes().sharedBytes();
        if (bytes < 0 || bytes > most) {
            throw new CudaException(CudaException.INVALID_VALUE, call,
                    grid.program().kernel() + " can be given at most "
                            + most + " bytes of dynamic shared memory, not " + bytes);
        }
        dynamicSharedBytes = bytes;
    }

    /** Runs it. */
    void launch(String call, int[] blocks, int[] threads, int sharedBytes, long parameters, SplittableRandom random) {
        Program program = grid.program();
        if (blocks[0] < 1 || blocks[1] < 1 || blocks[2] < 1 || blocks[1] > MOST_BLOCKS_YZ
                || blocks[2] > MOST_BLOCKS_YZ) {
            throw invalid(call, "a grid of " + shape(blocks) + " blocks is not allowed");
        }
        if (threads[0] < 1 || threads[1] < 1 || threads[2] < 1 || threads[2] > MOST_THREADS_Z
                || (long) threads[0] * threads[1] * threads[2] > MOST_THREADS) {
            throw invalid(call, "a block of " + shape(threads) + " threads is not allowed");
        }
        if (sharedBytes < 0 || sharedBytes > dynamicSharedBytes) {
            throw invalid(call, sharedBytes + " bytes of dynamic shared memory are wanted and " + dynamicSharedBytes
                    + " allowed; set the function's attribute for more");
        }
        Launch launch = new Launch(file, program.kernel(), blocks[0], blocks[1], blocks[2], threads[0], threads[1],
                threads[2], program.sizes().sharedBytes() + sharedBytes);
        grid.run(launch, readParameters(program, parameters), random);
    }

    private CudaException invalid(String call, String message) {
        return new CudaException(CudaException.INVALID_VALUE, call, grid.program().kernel() + ": " + message);
    }

    private static String shape(int[] extents) {
        return extents[0] + " x " + extents[1] + " x " + extents[2];
    }

    /** Behind {@code array} are addresses of the parameters' values. */
    private static byte[] readParameters(Program program, long array) {
        byte[] bytes = new byte[program.sizes().parameterBytes()];
        List<Program.Parameter> all = program.parameters();
        for (int i = 0; i < all.size(); i++) {
            long value = Memory.ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, array + 8L * i);
            MemorySegment.copy(Memory.ALL, value, MemorySegment.ofArray(bytes), all.get(i).offset(),
                    all.get(i).bytes());
        }
        return bytes;
    }
}
