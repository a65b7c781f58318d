package io.mixt5.kernels.emulator.machine;

/** An instruction that only lanes with a certain predicate execute. */
public final class Guarded extends Instruction {
    private final Instruction guarded;
    private final int predicate;
    private final int flip;

    /**
     * Guards an instruction.
     *
     * @param predicate the register
     * @param negated whether lanes execute it whose predicate is false
     */
    public Guarded(Instruction guarded, int predicate, boolean negated) {
        this.guarded = guarded;
        this.predicate = predicate;
        this.flip = negated ? -1 : 0;
    }

    @Override
    int allowed(Warp warp, int mask) {
        return mask & (warp.predicates[predicate] ^ flip);
    }

    @Override
    public void execute(Warp warp, int mask) {
        int allowed = mask & (warp.predicates[predicate] ^ flip);
        if (allowed != 0) {
            guarded.execute(warp, allowed);
        }
    }
}
