package io.mixt5.engine;

/**
 * Noise that multiplies: element i is multiplied by 1 - eps + 2 eps u, with u number i of {@link #stream}.
 *
 * @param eps half the width of the factors' range, in [0, 1)
 * @param stream where the factors come from; null when eps is 0
 */
public record Jitter(float eps, RandomStream stream) {
    /** Leaves everything as it is. */
    public static final Jitter NONE = new Jitter(0, null);

    /** Checks the range. */
    public Jitter {
        if (!(eps >= 0 && eps < 1) || eps > 0 && stream == null) {
            throw new IllegalArgumentException(
                    "jitter takes an eps in [0, 1) and a stream, not " + eps + ", " + stream);
        }
    }

    /** Whether anything changes at all. */
    public boolean active() {
        return eps > 0;
    }

    /** What element {@code index} is multiplied by. */
    public float factor(long index) {
        return active() ? 1 - eps + 2 * eps * stream.uniform(index) : 1;
    }
}
