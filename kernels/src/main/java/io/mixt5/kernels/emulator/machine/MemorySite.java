package io.mixt5.kernels.emulator.machine;

import io.mixt5.kernels.emulator.Monitor.Space;

/** A place in a program that accesses memory. */
public final class MemorySite {
    final Instruction instruction;
    /** The space of its addresses; null for generic ones. */
    final Space space;
    /** The allocation that it accessed last. Several threads may set it; any allocation does. */
    Segment last;

    /**
     * Of an instruction.
     *
     * @param space of its addresses; null for generic ones
     */
    public MemorySite(Instruction instruction, Space space) {
        this.instruction = instruction;
        this.space = space;
    }
}
