package io.mixt5.engine;

/**
 * Philox4x32-10, a counter-based generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 *
 * <p>The key is the seed; the counter is (element index / 4 as 64 bits, stream, step), and element i uses word i mod 4.
 * So a random number is a pure function of (seed, stream, step, index): the same on every backend, in recomputation and
 * after a resume.
 */
public final class Philox {
    /** Multiplier of words 0 and 1. */
    public static final int M0 = 0xD2511F53;
    /** Multiplier of words 2 and 3. */
    public static final int M1 = 0xCD9E8D57;
    /** Increment of key word 0. */
    public static final int W0 = 0x9E3779B9;
    /** Increment of key word 1. */
    public static final int W1 = 0xBB67AE85;

    private Philox() {
    }

    /** The 32 random bits of element {@code index} >= 0. */
    public static int bits(long seed, int stream, int step, long index) {
        long counter = index >>> 2;
        int c0 = (int) counter;
        int c1 = (int) (counter >>> 32);
        int c2 = stream;
        int c3 = step;
        int k0 = (int) seed;
        int k1 = (int) (seed >>> 32);
        for (int round = 0; round < 10; round++) {
            long p0 = (M0 & 0xffffffffL) * (c0 & 0xffffffffL);
            long p1 = (M1 & 0xffffffffL) * (c2 & 0xffffffffL);
            c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
            c1 = (int) p1;
            c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
            c3 = (int) p0;
            k0 += W0;
            k1 += W1;
        }
        return switch ((int) index & 3) {
            case 0 -> c0;
            case 1 -> c1;
            case 2 -> c2;
            default -> c3;
        };
    }

    /** A number in [0, 1) with 24 random bits. */
    public static float uniform(long seed, int stream, int step, long index) {
        return (bits(seed, stream, step, index) >>> 8) * 0x1p-24f;
    }

    /** A standard normal number (Box-Muller over the uniforms of elements 2 index and 2 index + 1). */
    public static double normal(long seed, int stream, int step, long index) {
        double u = ((bits(seed, stream, step, 2 * index) >>> 8) + 1) * 0x1p-24;
        double v = (bits(seed, stream, step, 2 * index + 1) >>> 8) * 0x1p-24;
        return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
    }
}
