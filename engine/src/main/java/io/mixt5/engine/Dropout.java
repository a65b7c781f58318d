package io.mixt5.engine;

/**
 * Which elements a dropout site zeroes: element i is kept when the upper 24 of its {@link Philox} bits are at least
 * {@link #threshold()}, and then multiplied by {@link #scale()} = 1 / (1 - rate).
 *
 * @param rate probability of zeroing, in [0, 1)
 * @param seed the run's seed
 * @param stream the site within a step
 * @param step the step (micro-batches counted apart)
 */
public record Dropout(float rate, long seed, int stream, int step) {
    /** Keeps everything. */
    public static final Dropout NONE = new Dropout(0, 0, 0, 0);

    /** Checks the rate. */
    public Dropout {
        if (!(rate >= 0 && rate < 1)) {
            throw new IllegalArgumentException("a dropout rate lies in [0, 1), not " + rate);
        }
    }

    /** Whether anything is zeroed at all. */
    public boolean active() {
        return rate > 0;
    }

    /** An element is kept when its 32 bits, shifted right by 8 without sign, are at least this. */
    public int threshold() {
        return Math.round(rate * 0x1p24f);
    }

    /** What a kept element is multiplied by. */
    public float scale() {
        return 1 / (1 - rate);
    }

    /** 0 or {@link #scale()} for element {@code index}. */
    public float factor(long index) {
        if (!active()) {
            return 1;
        }
        return Philox.bits(seed, stream, step, index) >>> 8 >= threshold() ? scale() : 0;
    }
}
