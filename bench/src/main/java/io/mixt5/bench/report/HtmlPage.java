package io.mixt5.bench.report;

import io.mixt5.bench.report.BarChart.Bar;
import io.mixt5.bench.report.Section.Bars;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Results as one page that needs nothing beside itself: no script, no font, no picture from elsewhere. */
final class HtmlPage {
    private static final String HEAD = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>MixT5 benchmarks</title><style>
            body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1060px; padding: 0 1rem; color: #1f2937 }
            table { border-collapse: collapse; margin: .8rem 0; font-size: 13px }
            td, th { padding: .15rem .7rem; border-bottom: 1px solid #e5e7eb; text-align: right; white-space: nowrap }
            td:first-child, th:first-child { text-align: left }
            svg { max-width: 100%; font: 12px system-ui, sans-serif; fill: #1f2937 }
            svg .label { text-anchor: end } svg .middle { text-anchor: middle }
            svg .bar { fill: #93c5fd } svg .line { stroke: #1f2937; stroke-dasharray: 4 3 }
            svg .limit { stroke: #dc2626; stroke-width: 2 }
            .FASTER { color: #047857 } .SLOWER { color: #b91c1c; font-weight: 600 } .SAME, .UNKNOWN { color: #6b7280 }
            </style></head><body>
            <h1>MixT5 benchmarks</h1>
            """;

    private HtmlPage() {
    }

    /** The page of all sections. */
    static String of(Results results, List<Results> earlier, List<Section> sections) {
        StringBuilder html = new StringBuilder(HEAD);
        html.append("<p>").append(escape(results.name() + ", " + results.machine()));
        for (Results old : earlier) {
            html.append(escape("; before: " + old.name()));
        }
        html.append(". Times are medians with JMH's error of the mean; red marks are the machine's limits.</p>\n");
        Map<String, Map<Integer, Double>> overheads = Sections.overheads(sections);
        for (Section section : sections) {
            html.append("<h2>").append(escape(section.title())).append("</h2><p>").append(escape(section.note()))
                    .append("</p>\n");
            html.append(chart(section)).append("\n");
            if (section.rows().stream().anyMatch(row -> !row.measurement().param("layer").isEmpty())
                    && !overheads.isEmpty()) {
                html.append("<h3>By number of experts</h3>\n").append(Curves.byExperts(overheads)).append("\n");
            }
            html.append(table(section, !earlier.isEmpty()));
        }
        return html.append("</body></html>\n").toString();
    }

    private static String chart(Section section) {
        List<Bar> bars = new ArrayList<>();
        for (Row row : section.rows()) {
            Measurement m = row.measurement();
            if (section.bars() == Bars.SHARE) {
                bars.add(new Bar(row.label(), row.share(), Double.NaN,
                        join(Numbers.percent(row.share()), Numbers.rate(m))));
            } else {
                double limit = row.share() * row.relative();
                bars.add(new Bar(row.label(), row.relative(), limit,
                        join(Numbers.times(row.relative()), Numbers.seconds(m.seconds()))));
            }
        }
        return section.bars() == Bars.SHARE ? BarChart.svg(bars, 1, "limit") : BarChart.svg(bars, 1, "dense");
    }

    private static String join(String first, String second) {
        return first.isEmpty() ? second : first + ", " + second;
    }

    private static String table(Section section, boolean history) {
        boolean peers = section.rows().stream().anyMatch(row -> !Double.isNaN(row.peer()));
        StringBuilder html = new StringBuilder("<table><tr><th>what</th><th>time</th><th>does</th><th>of the limit</th>"
                + "<th>x dense</th>");
        html.append(peers ? "<th>time of LibTorch or cuDNN</th>" : "")
                .append(history ? "<th>since before</th><th></th>" : "");
        html.append("</tr>\n");
        for (Row row : section.rows()) {
            html.append("<tr>");
            cell(html, row.label());
            cell(html, Numbers.time(row.measurement()));
            cell(html, Numbers.rate(row.measurement()));
            cell(html, Numbers.percent(row.share()));
            cell(html, Numbers.times(row.relative()));
            if (peers) {
                cell(html, Numbers.times(row.peer()));
            }
            if (history) {
                history(html, row);
            }
            html.append("</tr>\n");
        }
        return html.append("</table>\n").toString();
    }

    private static void history(StringBuilder html, Row row) {
        if (row.change() == null) {
            html.append("<td></td><td></td>");
            return;
        }
        List<Double> all = new ArrayList<>(row.history());
        all.add(row.measurement().seconds());
        html.append("<td class=\"").append(row.change().verdict()).append("\">").append(escape(row.change().describe()))
                .append("</td><td>").append(Curves.spark(all)).append("</td>");
    }

    private static void cell(StringBuilder html, String text) {
        html.append("<td>").append(escape(text)).append("</td>");
    }

    /** Text that HTML and SVG show as it is. */
    static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
