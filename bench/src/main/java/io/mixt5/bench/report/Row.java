package io.mixt5.bench.report;

import java.util.List;

/**
 * A line of a report.
 *
 * @param label what was measured
 * @param measurement how long it took
 * @param share of the machine's limit, 1 being the limit; NaN where unknown
 * @param relative its time over that of the dense baseline; NaN where there is none
 * @param peer the time of the peer over this one, above 1 where this is faster; NaN where no peer was run
 * @param history seconds in earlier results, oldest first; NaN where they lack it
 * @param change against the latest earlier results that have it; null where none does
 */
record Row(String label, Measurement measurement, double share, double relative, double peer, List<Double> history,
        Change change) {
}
