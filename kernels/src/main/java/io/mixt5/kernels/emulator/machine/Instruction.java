package io.mixt5.kernels.emulator.machine;

import io.mixt5.kernels.emulator.Monitor.Work;

/** A decoded instruction. Its operands are indices into a warp's registers. */
public abstract class Instruction {
    int line;
    String opcode;
    Work work;

    /** Says where it stands and what it is, for monitors and messages. */
    public final void describe(int line, String opcode, Work work) {
        this.line = line;
        this.opcode = opcode;
        this.work = work;
    }

    /** The line of PTX. */
    public final int line() {
        return line;
    }

    /** As in the PTX. */
    public final String opcode() {
        return opcode;
    }

    /** The lanes of {@code mask} whose guard lets them. */
    int allowed(Warp warp, int mask) {
        return mask;
    }

    /**
     * Executes it.
     *
     * @param mask lanes to execute it for; not 0
     */
    public abstract void execute(Warp warp, int mask);
}
