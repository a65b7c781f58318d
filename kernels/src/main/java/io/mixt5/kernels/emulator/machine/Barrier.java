package io.mixt5.kernels.emulator.machine;

/** bar.sync, bar.red and bar.arrive: a meeting of a block's threads. */
public final class Barrier extends Flow {
    /** What it tells those that have met. */
    public enum Reduction {
        /** Nothing: bar.sync. */
        NONE,
        /** Nothing, and does not wait: bar.arrive. */
        ARRIVE,
        /** How many predicates are true. */
        COUNT,
        /** Whether all are. */
        AND,
        /** Whether one is. */
        OR
    }

    final Reduction reduction;
    private final int barrier;
    private final int threads;
    private final int target;
    private final int predicate;
    private final int predicateFlip;

    /**
     * Of a barrier.
     *
     * @param barrier register that holds its number
     * @param threads register that holds how many threads meet; -1 where all do
     * @param target register for the result: a number for COUNT, else a predicate; -1 for none
     * @param predicate register that is reduced; -1 for none
     * @param negated whether its opposite is
     */
    public Barrier(Reduction reduction, int barrier, int threads, int target, int predicate, boolean negated) {
        this.reduction = reduction;
        this.barrier = barrier;
        this.threads = threads;
        this.target = target;
        this.predicate = predicate;
        this.predicateFlip = negated ? -1 : 0;
    }

    @Override
    boolean step(Warp warp, int mask) {
        int active = allowed(warp, mask);
        int next = warp.pc + 1;
        if (active == 0) {
            warp.pc = next;
            return true;
        }
        if (active != mask) {
            warp.put(next, mask & ~active);
        }
        int lane = Integer.numberOfTrailingZeros(active);
        int number = warp.ints[barrier][lane];
        if (number < 0 || number >= ThreadBlock.BARRIERS) {
            throw warp.failed(this, lane, "there is no barrier " + number);
        }
        int expected = threads < 0 ? -1 : warp.ints[threads][lane];
        int value = predicate < 0 ? 0 : warp.predicates[predicate] ^ predicateFlip;
        if (warp.monitor != null) {
            warp.monitor.barrierReached(warp, line, number, active);
        }
        warp.wait(this, next, active, number, expected, value & active);
        return false;
    }

    /** Hands the result to lanes of a warp. */
    void release(Warp warp, int mask, int trues, int threadsMet) {
        switch (reduction) {
            case COUNT -> {
                int[] counts = warp.ints[target];
                for (int m = mask; m != 0; m &= m - 1) {
                    counts[Integer.numberOfTrailingZeros(m)] = trues;
                }
            }
            case AND -> warp.setPredicate(target, mask, trues == threadsMet ? -1 : 0);
            case OR -> warp.setPredicate(target, mask, trues > 0 ? -1 : 0);
            case NONE, ARRIVE -> {
                // Only the meeting counts.
            }
        }
    }
}
