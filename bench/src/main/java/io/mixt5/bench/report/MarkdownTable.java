package io.mixt5.bench.report;

import java.util.List;

/** Results as one table in Markdown. */
final class MarkdownTable {
    private MarkdownTable() {
    }

    /** The table of all sections, and what ran it. */
    static String of(Results results, List<Section> sections) {
        StringBuilder text = new StringBuilder();
        text.append(
                "| what | time, median | does | share of the limit | x dense | time of LibTorch or cuDNN | since before |\n");
        text.append("|---|---|---|---|---|---|---|\n");
        for (Section section : sections) {
            text.append("| **").append(section.title()).append("** | | | | | | |\n");
            for (Row row : section.rows()) {
                Measurement m = row.measurement();
                text.append(String.format("| %s | %s | %s | %s | %s | %s | %s |%n", row.label().replace("|", "\\|"),
                        Numbers.time(m), Numbers.rate(m), Numbers.percent(row.share()), Numbers.times(row.relative()),
                        Numbers.times(row.peer()), row.change() == null ? "" : row.change().describe()));
            }
        }
        return text.append("\n").append(results.name()).append(", ").append(results.machine()).append("\n").toString();
    }
}
