package io.mixt5.bench.report;

import java.util.List;

/**
 * A part of a report.
 *
 * @param title its heading
 * @param note what the numbers mean
 * @param bars what the bars show
 * @param rows its lines, never empty
 */
record Section(String title, String note, Bars bars, List<Row> rows) {
    /** What the bars of a section show. */
    enum Bars {
        /** The share of the limit. */
        SHARE,
        /** The time relative to the dense baseline. */
        RELATIVE
    }
}
