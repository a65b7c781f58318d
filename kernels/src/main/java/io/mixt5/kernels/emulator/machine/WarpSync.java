package io.mixt5.kernels.emulator.machine;

/**
 * A {@code .sync} instruction of a warp: it waits until every live lane of its member mask executes an instruction of
 * its kind with that mask, not necessarily this one, and then they exchange something.
 */
public abstract class WarpSync extends Flow {
    private final int members;
    private final Object kind;

    /**
     * With a member mask.
     *
     * @param members register that holds the mask
     * @param kind instructions with an equal kind meet
     */
    protected WarpSync(int members, Object kind) {
        this.members = members;
        this.kind = kind;
    }

    /** Gives what the lanes of {@code mask} bring along. */
    protected abstract void give(Warp warp, int mask);

    /**
     * Takes what is there once all have given.
     *
     * @param mask lanes that execute this instruction
     * @param met all lanes that have met, these among them
     */
    protected abstract void take(Warp warp, int mask, int met);

    final boolean meets(WarpSync other) {
        return kind.equals(other.kind);
    }

    @Override
    final boolean step(Warp warp, int mask) {
        int active = allowed(warp, mask);
        if (active == 0) {
            warp.pc++;
            return true;
        }
        int[] masks = warp.ints[members];
        int first = masks[Integer.numberOfTrailingZeros(active)];
        if ((first & warp.live) == active && Warp.allEqual(masks, first, active)) {
            give(warp, active);
            take(warp, active, active);
            if (warp.monitor != null) {
                warp.monitor.warpSynchronised(warp, line, active);
            }
            warp.pc++;
            return true;
        }
        int next = warp.pc + 1;
        if (active != mask) {
            warp.put(next, mask & ~active);
        }
        int rest = active;
        while (rest != 0) {
            int lane = Integer.numberOfTrailingZeros(rest);
            int value = masks[lane];
            int same = Warp.equal(masks, value, rest);
            if ((same & ~value) != 0) {
                throw warp.failed(this, Integer.numberOfTrailingZeros(same & ~value),
                        "its lane is not in its own member mask 0x" + Integer.toHexString(value));
            }
            give(warp, same);
            warp.park(this, next, same, value);
            rest &= ~same;
        }
        warp.meet();
        return false;
    }
}
