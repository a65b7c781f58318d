package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Route;
import io.mixt5.engine.op.Routing;
import java.util.BitSet;

/**
 * Gives the entries of a {@link Routing} their places, by counting: how many entries of each stretch of tokens chose
 * each expert, and from that, at which place each stretch begins. Stretches go in parallel; groups, and entries that are
 * sent on, go one after another. Places are counted within an expert; its offset is still to be added.
 */
final class RoutePlaces {
    /** Tokens of a stretch. */
    private static final int STRETCH = 2048;
    private static final int TABLE = Scratch.newSlot();

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
    private int valid;
    private boolean sentOn;

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

    /** Whether some entries were sent on. */
    boolean sentOn() {
        return sentOn;
    }

    private void assignGroup(int from, int to) {
        int stretches = (to - from + STRETCH - 1) / STRETCH;
        long row = Integer.BYTES * ((long) k * experts + 1);
        long table = Scratch.get(TABLE, row * stretches);
        WorkerPool.forRange(to - from, STRETCH,
                (first, end, worker) -> count(from + (int) first, from + (int) end, table + first / STRETCH * row));
        int validHere = 0;
        for (int stretch = 0; stretch < stretches; stretch++) {
            validHere += Memory.getInt(table + stretch * row + row - Integer.BYTES);
        }
        valid += validHere;
        int capacity = spec.capacity(validHere, experts);
        int[] ends = new int[experts];
        boolean full = false;
        for (int e = 0; e < experts; e++) {
            ends[e] = addUp(table + 4L * e, stretches, row, taken[e]);
            counts[e] += ends[e] - taken[e];
            limits[e] = (int) Math.min(Integer.MAX_VALUE, (long) taken[e] + capacity);
            full |= ends[e] > limits[e];
        }
        WorkerPool.forRange(to - from, STRETCH,
                (first, end, worker) -> place(from + (int) first, from + (int) end, table + first / STRETCH * row));
        for (int e = 0; e < experts; e++) {
            taken[e] = Math.min(ends[e], limits[e]);
        }
        if (full && spec.policy() == Route.Policy.NO_TOKEN_LEFT_BEHIND) {
            sentOn = true;
            sendOn(from, to);
        }
    }

    /** How many of a stretch's entries chose each expert, int [k, E], and behind that how many tokens are valid. */
    private void count(int from, int to, long table) {
        Memory.fill(table, Integer.BYTES * ((long) k * experts + 1), (byte) 0);
        int padding = 0;
        for (int token = from; token < to; token++) {
            padding += expert(token * k) < 0 ? 1 : 0;
            for (int s = 0; s < k; s++) {
                int expert = expert(token * k + s);
                if (expert >= 0) {
                    long count = table + 4L * (s * experts + expert);
                    Memory.setInt(count, Memory.getInt(count) + 1);
                }
            }
        }
        Memory.setInt(table + 4L * k * experts, to - from - padding);
    }

    /** Turns an expert's counts into its first place of each choice and stretch; returns where the last ones end. */
    private int addUp(long column, int stretches, long row, int first) {
        int place = first;
        for (int s = 0; s < k; s++) {
            for (int stretch = 0; stretch < stretches; stretch++) {
                long address = column + 4L * s * experts + stretch * row;
                int count = Memory.getInt(address);
                Memory.setInt(address, place);
                place += count;
            }
        }
        return place;
    }

    /** Places a stretch, from the first places on. */
    private void place(int from, int to, long table) {
        for (int token = from; token < to; token++) {
            for (int s = 0; s < k; s++) {
                int entry = token * k + s;
                int expert = expert(entry);
                int place = -1;
                if (expert >= 0) {
                    long next = table + 4L * (s * experts + expert);
                    int free = Memory.getInt(next);
                    Memory.setInt(next, free + 1);
                    place = free < limits[expert] ? free : -1;
                }
                Memory.setInt(places + 4L * entry, place);
            }
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

    /**
     * Rounds in which each entry of a group that has no place yet tries the best expert that its token has not tried.
     */
    private void sendOn(int firstToken, int end) {
        int waitingCount = 0;
        int[] waiting = new int[(end - firstToken) * k];
        for (int s = 0; s < k; s++) {
            for (int token = firstToken; token < end; token++) {
                int entry = token * k + s;
                if (expert(entry) >= 0 && Memory.getInt(places + 4L * entry) < 0) {
                    waiting[waitingCount++] = entry;
                }
            }
        }
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
