package io.mixt5.kernels.emulator.machine;

import io.mixt5.kernels.emulator.Monitor.Space;

/** An instruction that accesses memory. */
public abstract class MemoryInstruction extends Instruction {
    /** The space of its addresses; null for generic ones. */
    final Space space;
    /** The allocation that it accessed last. Several threads may set it; any allocation does. */
    Segment last;

    /**
     * In a space.
     *
     * @param space of its addresses; null for generic ones
     */
    protected MemoryInstruction(Space space) {
        this.space = space;
    }
}
