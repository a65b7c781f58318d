package io.mixt5.kernels.emulator.machine;

/** An instruction after which lanes may go on elsewhere, or not at once. It handles its guard itself. */
public abstract class Flow extends Instruction {
    /** Predicate register of its guard; -1 where all lanes execute it. */
    int guard = -1;
    int flip;

    /** Has only lanes with a certain predicate execute it. */
    public final void guard(int predicate, boolean negated) {
        guard = predicate;
        flip = negated ? -1 : 0;
    }

    @Override
    final int allowed(Warp warp, int mask) {
        return guard < 0 ? mask : mask & (warp.predicates[guard] ^ flip);
    }

    /**
     * Executes it for a group of lanes that stands at {@code warp.pc}.
     *
     * @return true if all of them go on at {@code warp.pc}, which may have changed; false if the warp has been told of
     * every lane where it goes on
     */
    abstract boolean step(Warp warp, int mask);

    @Override
    public final void execute(Warp warp, int mask) {
        throw new IllegalStateException(opcode + " is executed by step");
    }
}
