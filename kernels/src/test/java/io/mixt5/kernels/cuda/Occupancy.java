package io.mixt5.kernels.cuda;

/**
 * How many threads of a kernel a multiprocessor holds at once, by the limits that NVIDIA publishes for each compute
 * capability in the CUDA C++ Programming Guide (technical specifications) and the rules of its occupancy calculator.
 *
 * @param target such as {@code sm_80}
 * @param warps that a multiprocessor holds
 * @param blocks that it holds
 * @param sharedBytes shared memory that its blocks share
 * @param reservedBytes shared memory that the system takes from each block
 * @param sharedUnit bytes in whose multiples shared memory is given out
 */
record Occupancy(String target, int warps, int blocks, int sharedBytes, int reservedBytes, int sharedUnit) {
    private static final int WARP = 32;
    /** Registers of a multiprocessor, of every capability here. */
    private static final int REGISTERS = 65536;
    /** Registers are given to a warp in multiples of this many. */
    private static final int REGISTER_UNIT = 256;
    /** A multiprocessor has this many parts, each with its share of the registers. */
    private static final int PARTS = 4;

    /** The limits of a target: {@code sm_75}, {@code sm_80} or {@code sm_90}. */
    static Occupancy of(String target) {
        return switch (target) {
            case "sm_75" -> new Occupancy(target, 32, 16, 64 << 10, 0, 256);
            case "sm_80" -> new Occupancy(target, 64, 32, 164 << 10, 1 << 10, 128);
            case "sm_90" -> new Occupancy(target, 64, 32, 228 << 10, 1 << 10, 128);
            default -> throw new IllegalArgumentException("the limits of " + target + " are not known here");
        };
    }

    /**
     * Blocks that a multiprocessor holds.
     *
     * @param threads of a block
     * @param registers of a thread
     * @param shared bytes of a block's shared memory, static and dynamic
     */
    int residentBlocks(int threads, int registers, int shared) {
        int warpsOfBlock = (threads + WARP - 1) / WARP;
        int registersOfWarp = roundUp(Math.max(registers, 1) * WARP, REGISTER_UNIT);
        int warpsByRegisters = REGISTERS / PARTS / registersOfWarp * PARTS;
        int sharedOfBlock = roundUp(shared + reservedBytes, sharedUnit);
        int byShared = sharedOfBlock == 0 ? blocks : sharedBytes / sharedOfBlock;
        return Math.min(Math.min(blocks, warps / warpsOfBlock), Math.min(warpsByRegisters / warpsOfBlock, byShared));
    }

    /** The share of the multiprocessor's places for threads that are taken, in percent, rounded down. */
    int percent(int threads, int registers, int shared) {
        return 100 * residentBlocks(threads, registers, shared) * ((threads + WARP - 1) / WARP) / warps;
    }

    private static int roundUp(int value, int unit) {
        return (value + unit - 1) / unit * unit;
    }
}
