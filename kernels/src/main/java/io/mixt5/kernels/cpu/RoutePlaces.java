package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Route;
import io.mixt5.engine.op.Routing;
import java.util.BitSet;

/**
 * Gives the entries of a {@link Routing} their places, by counting: one pass over the choices, in order, on the calling
 * thread. Places are counted within an expert; its offset is still to be added.
 */
final class RoutePlaces {
    private final Route.Spec spec;
    private final int tokens;
    private final int experts;
    private final int k;
    private final long logits;
    private final long choices;
    private final long places;
    /** How many entries chose each expert. */
    private final int[] counts;
    /** How many places of each expert are taken. */
    private final int[] taken;
    /** How many may be, at the end of the current group. */
    private final int[] limits;
    /** Entries of the current group without a place that may yet find one, in order. */
    private int[] waiting = new int[0];
    private int waitingCount;
    private int valid;

    /** Places for the experts that have been chosen; padding has chosen -1. */
    RoutePlaces(Tensor logits, Route.Spec spec, Routing routing) {
        this.spec = spec;
        this.tokens = Math.toIntExact(logits.shape().rows());
        this.experts = routing.expertCount();
        this.k = spec.topK();
        this.logits = logits.address();
        this.choices = routing.experts().address();
        this.places = routing.slots().address();
        this.counts = new int[experts];
        this.taken = new int[experts];
        this.limits = new int[experts];
    }

    /** Finds all places, and writes them to the slots; entries that are sent on change their expert. */
    void assign() {
        int from = 0;
        for (int length : spec.groupsOf(tokens)) {
            assignGroup(from, from + length);
            from += length;
        }
    }

    /** How many entries chose each expert at first. */
    int[] counts() {
        return counts;
    }

    /** How many entries have a place in each expert. */
    int[] taken() {
        return taken;
    }

    /** How many tokens are not padding. */
    int valid() {
        return valid;
    }

    private void assignGroup(int from, int to) {
        int validHere = 0;
        for (int token = from; token < to; token++) {
            validHere += expert(token * k) < 0 ? 0 : 1;
        }
        valid += validHere;
        int capacity = spec.capacity(validHere, experts);
        for (int e = 0; e < experts; e++) {
            limits[e] = (int) Math.min(Integer.MAX_VALUE, (long) taken[e] + capacity);
        }
        waitingCount = 0;
        for (int s = 0; s < k; s++) {
            for (int token = from; token < to; token++) {
                int entry = token * k + s;
                int expert = expert(entry);
                Memory.setInt(places + 4L * entry, -1);
                if (expert >= 0) {
                    counts[expert]++;
                    if (!place(entry, expert) && spec.policy() == Route.Policy.NO_TOKEN_LEFT_BEHIND) {
                        await(entry, (to - from) * k);
                    }
                }
            }
        }
        if (waitingCount > 0) {
            sendOn(from);
        }
    }

    private int expert(int entry) {
        return Memory.getInt(choices + 4L * entry);
    }

    private boolean place(int entry, int expert) {
        if (taken[expert] == limits[expert]) {
            return false;
        }
        Memory.setInt(places + 4L * entry, taken[expert]++);
        return true;
    }

    private void await(int entry, int most) {
        if (waiting.length < most) {
            waiting = new int[most];
        }
        waiting[waitingCount++] = entry;
    }

    /** Rounds in which each entry that waits tries the best expert that its token has not tried. */
    private void sendOn(int firstToken) {
        BitSet tried = new BitSet();
        for (int i = 0; i < waitingCount; i++) {
            int token = waiting[i] / k;
            for (int s = 0; s < k; s++) {
                tried.set((token - firstToken) * experts + expert(token * k + s));
            }
        }
        while (waitingCount > 0) {
            int left = 0;
            for (int i = 0; i < waitingCount; i++) {
                int entry = waiting[i];
                int token = entry / k;
                int next = bestUntried(token, (token - firstToken) * experts, tried);
                if (next < 0) {
                    continue;
                }
                tried.set((token - firstToken) * experts + next);
                if (place(entry, next)) {
                    Memory.setInt(choices + 4L * entry, next);
                } else {
                    waiting[left++] = entry;
                }
            }
            waitingCount = left;
        }
    }

    /**
     * The expert with the largest logit that the token has not tried, the first of several; -1 when it has tried all.
     */
    private int bestUntried(int token, int firstBit, BitSet tried) {
        int best = -1;
        float largest = Float.NEGATIVE_INFINITY;
        for (int e = 0; e < experts; e++) {
            float logit = Memory.getFloat(logits + 4L * ((long) token * experts + e));
            if (!tried.get(firstBit + e) && (best < 0 || logit > largest)) {
                best = e;
                largest = logit;
            }
        }
        return best;
    }
}
