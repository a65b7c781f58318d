package io.mixt5.bench.report;

/**
 * What became of a benchmark between two results.
 *
 * @param before the earlier one
 * @param after the later one
 */
record Change(Measurement before, Measurement after) {
    /** What can be said about a change. */
    enum Verdict {
        /** Every sample after is shorter than every one before. */
        FASTER,
        /** Every sample after is longer than every one before. */
        SLOWER,
        /** The samples overlap. */
        SAME,
        /** One sample shows no noise, so nothing can be told from it. */
        UNKNOWN
    }

    /** The fewest samples on each side for a verdict: 4 of 8 are in one order by chance once in 35 times, 5 once in 126. */
    private static final int ENOUGH = 4;

    /** The time after over the time before. */
    double ratio() {
        return after.seconds() / before.seconds();
    }

    /**
     * Whether it is beyond the noise. The ranges of the samples decide, which assumes nothing of their distribution; a JVM's
     * own luck shows only when there are several forks.
     */
    Verdict verdict() {
        if (before.samples().size() < ENOUGH || after.samples().size() < ENOUGH) {
            return Verdict.UNKNOWN;
        }
        if (after.slowest() < before.fastest()) {
            return Verdict.FASTER;
        }
        return after.fastest() > before.slowest() ? Verdict.SLOWER : Verdict.SAME;
    }

    /** In words: {@code 12.3 % faster}. */
    String describe() {
        String percent = Numbers.text(100 * Math.abs(ratio() - 1)) + " %";
        return switch (verdict()) {
            case FASTER -> percent + " faster";
            case SLOWER -> percent + " slower";
            case SAME -> "within the noise";
            case UNKNOWN -> (ratio() < 1 ? "-" : "+") + percent + ", too few samples to judge";
        };
    }
}
