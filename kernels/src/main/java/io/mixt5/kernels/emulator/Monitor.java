package io.mixt5.kernels.emulator;

/**
 * Watches kernels run. All calls come from one thread, in the order in which things happen; a mask has bit l set where
 * lane l takes part. What a method is given it must not change, nor keep arrays of. Throwing a {@link Fault} ends the
 * launch. An emulator without a monitor does no work for it.
 */
public interface Monitor {
    /** Where memory is. */
    enum Space {
        /** Device memory; addresses are those of the driver. */
        GLOBAL,
        /** A block's memory; addresses count from 0 at its start. */
        SHARED,
        /** A thread's own memory; addresses count from 0 at its start. */
        LOCAL,
        /** Constants of a module; addresses are those of device memory. */
        CONSTANT,
        /** Parameters of the kernel; addresses count from 0. */
        PARAMETER
    }

    /** What is done to memory. */
    enum Access {
        READ, WRITE, ATOMIC
    }

    /** What kind of work an instruction is. */
    enum Work {
        /** Integer and logic. */
        INTEGER,
        /** Single precision. */
        FLOAT,
        /** Double precision. */
        DOUBLE,
        /** Half precision and bfloat16, alone or in pairs. */
        HALF,
        /** Approximations that a GPU has special function units for: ex2, lg2, sin, cos, rcp, rsqrt, sqrt, tanh. */
        SPECIAL,
        /** Conversions between types. */
        CONVERSION,
        /** Moves, selections and comparisons. */
        MOVE,
        /** Loads, all spaces. */
        LOAD,
        /** Stores, all spaces. */
        STORE,
        /** Atomics and reductions in memory. */
        ATOMIC,
        /** cp.async and its groups. */
        COPY,
        /** ldmatrix and mma. */
        MATRIX,
        /** Branches, calls, exits. */
        CONTROL,
        /** Exchange within a warp: shfl, vote, match, redux. */
        EXCHANGE,
        /** Barriers and fences. */
        BARRIER
    }

    /** A kernel starts. */
    default void launchStarted(Launch launch) {
    }

    /** A kernel has ended; not called after a fault. */
    default void launchEnded(Launch launch) {
    }

    /** A block starts; its shared memory holds nothing yet. Blocks run one after another. */
    default void blockStarted(Launch launch, long block) {
    }

    /** All threads of a block have exited. */
    default void blockEnded(Launch launch, long block) {
    }

    /**
     * An instruction is executed.
     *
     * @param opcode as in the PTX, such as {@code add.f32}
     * @param mask lanes whose predicate lets them, perhaps none
     */
    default void executed(WarpView warp, int line, String opcode, Work work, int mask) {
    }

    /**
     * A conditional branch; it diverges where {@code taken} is neither 0 nor {@code mask}.
     *
     * @param mask lanes that reach it
     * @param taken those of them that jump
     */
    default void branched(WarpView warp, int line, int mask, int taken) {
    }

    /**
     * Memory is accessed: called before it, once the addresses are known to be good.
     *
     * @param addresses of each lane
     * @param bytes that a lane accesses there, vectors together; the address is a multiple of it
     */
    default void accessed(WarpView warp, int line, Space space, Access access, int mask, long[] addresses, int bytes) {
    }

    /**
     * A cp.async from global to shared memory is issued. {@link #copied} tells when the bytes arrive.
     *
     * @param shared address each lane will write
     * @param global address each lane reads
     * @param bytes that a lane writes: 4, 8 or 16
     * @param read how many of them each lane reads, the rest being zeros
     */
    default void copyIssued(WarpView warp, int line, int mask, long[] shared, long[] global, int bytes, int[] read) {
    }

    /** Lanes close their group of copies. */
    default void copyCommitted(WarpView warp, int line, int mask) {
    }

    /** Lanes wait for their copies until at most {@code pending} groups are under way; -1 waits for everything. */
    default void copyWaited(WarpView warp, int line, int mask, int pending) {
    }

    /** A lane's cp.async takes effect: {@code bytes} bytes arrive in shared memory. */
    default void copied(WarpView warp, int lane, long shared, int bytes) {
    }

    /**
     * A shfl.sync is executed, its lanes having met.
     *
     * @param mask lanes that take a value
     * @param present lanes that brought one
     * @param sources the lane that each takes from; its own where the instruction says that none is in range
     */
    default void shuffled(WarpView warp, int line, int mask, int present, int[] sources) {
    }

    /** Lanes have synchronised with each other: bar.warp.sync, and every other {@code .sync} instruction of a warp. */
    default void warpSynchronised(WarpView warp, int line, int mask) {
    }

    /** A warp's lanes reach a barrier of the block and wait there. */
    default void barrierReached(WarpView warp, int line, int barrier, int mask) {
    }

    /**
     * A barrier of the block opens.
     *
     * @param masks of the lanes that have waited at it, one for each warp
     * @param exited threads of the block that had exited before
     */
    default void barrierPassed(Launch launch, long block, int barrier, int[] masks, int exited) {
    }

    /** Device memory is allocated; it holds nothing yet. */
    default void allocated(long address, long bytes) {
    }

    /** Device memory is given back. */
    default void freed(long address, long bytes) {
    }

    /** The host fills device memory: an upload, a fill or a module's variable. */
    default void hostWrote(long address, long bytes) {
    }

    /** The host reads device memory. */
    default void hostRead(long address, long bytes) {
    }

    /** Device memory is copied to device memory. */
    default void deviceCopied(long source, long target, long bytes) {
    }
}
