package io.mixt5.kernels.emulator.sanitizer;

import java.util.Arrays;

/**
 * Which accesses happen before others by the synchronisation between them: a vector clock of each thread of a block,
 * kept in the few numbers that suffice while whole warps and whole blocks synchronise.
 *
 * <p>Time advances with every synchronisation of the launch. What another thread did at time t is known to a thread if
 * t is below what it holds of that thread.
 */
final class Order {
    private static final int WARP = 32;

    private int now = 1;
    private int threads;
    /** All threads of the block know of each other what happened before. */
    private int blockKnown;
    /** All lanes of a warp know of each other what happened before. */
    private int[] warpKnown = {};
    /** What a thread knows beyond that of each thread; null for nothing. */
    private int[][] known = {};

    /** The present time, above 0. */
    int now() {
        return now;
    }

    /** Something has happened that later accesses must be told apart by. */
    void advance() {
        now++;
    }

    /** Begins with a block of {@code threads} threads. */
    void start(int threads) {
        now++;
        this.threads = threads;
        blockKnown = now;
        int warps = (threads + WARP - 1) / WARP;
        if (warpKnown.length != warps) {
            warpKnown = new int[warps];
            known = new int[threads][];
        }
        Arrays.fill(warpKnown, 0);
        known = known.length == threads ? known : new int[threads][];
        Arrays.fill(known, null);
    }

    /** Whether what {@code other} did at {@code time} happened before what {@code thread} does now. */
    boolean before(int time, int other, int thread) {
        if (other == thread || time < blockKnown) {
            return true;
        }
        if (other / WARP == thread / WARP && time < warpKnown[other / WARP]) {
            return true;
        }
        int[] own = known[thread];
        return own != null && time < own[other];
    }

    /** Lanes {@code mask} of a warp have synchronised; {@code live} lanes have not exited. */
    void synchroniseWarp(int warp, int mask, int live) {
        int[] masks = new int[warpKnown.length];
        masks[warp] = mask;
        now++;
        if ((live & ~mask) != 0) {
            join(masks, now);
            return;
        }
        join(masks, 0);
        warpKnown[warp] = now;
    }

    /** All threads of the block that have not exited have synchronised. */
    void synchroniseBlock() {
        now++;
        blockKnown = now;
    }

    /** The threads of {@code masks}, one for each warp, have synchronised. */
    void synchronise(int[] masks) {
        now++;
        join(masks, now);
    }

    /** Gives all threads of a group what each of them knows, and knowledge of each other's deeds before a time. */
    private void join(int[] masks, int ofEachOther) {
        int[] all = null;
        if (ofEachOther > 0) {
            all = new int[threads];
            for (int thread = 0; thread < threads; thread++) {
                int mask = masks[thread / WARP];
                all[thread] = (mask >>> thread % WARP & 1) != 0
                        ? ofEachOther
                        : mask == 0 ? 0 : warpKnown[thread / WARP];
            }
        }
        for (int thread = 0; thread < threads; thread++) {
            if ((masks[thread / WARP] >>> thread % WARP & 1) != 0 && known[thread] != null) {
                all = all == null ? new int[threads] : all;
                for (int i = 0; i < threads; i++) {
                    all[i] = Math.max(all[i], known[thread][i]);
                }
            }
        }
        if (all == null) {
            return;
        }
        for (int thread = 0; thread < threads; thread++) {
            if ((masks[thread / WARP] >>> thread % WARP & 1) != 0) {
                known[thread] = all.clone();
            }
        }
    }
}
