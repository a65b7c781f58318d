package io.mixt5.bench.report;

import java.util.List;
import java.util.Locale;

/**
 * Horizontal bars with lines across them, as SVG. Written out by hand: of the chart libraries for Java, those under a
 * permissive licence reach SVG only through others that are not, and bars are rectangles.
 */
final class BarChart {
    private static final int LABEL = 330;
    private static final int PLOT = 480;
    private static final int VALUE = 210;
    private static final int BAR = 20;

    private BarChart() {
    }

    /**
     * A bar.
     *
     * @param value its length, in the chart's own unit; NaN for no bar
     * @param limit where the machine's limit lies; NaN where unknown
     * @param text behind it
     */
    record Bar(String label, double value, double limit, String text) {
    }

    /**
     * Draws the bars.
     *
     * @param line where a line crosses all bars
     * @param lineLabel what that line is
     */
    static String svg(List<Bar> bars, double line, String lineLabel) {
        double largest = bars.stream().mapToDouble(Bar::value).filter(Double::isFinite).max().orElse(line);
        double scale = PLOT / Math.max(largest, line);
        int height = BAR * (bars.size() + 1);
        StringBuilder svg = new StringBuilder();
        svg.append(String.format(Locale.ROOT, "<svg viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\">",
                LABEL + PLOT + VALUE,
                height + 4, LABEL + PLOT + VALUE));
        for (int i = 0; i < bars.size(); i++) {
            Bar bar = bars.get(i);
            int y = BAR * (i + 1);
            double length = Double.isFinite(bar.value()) ? scale * bar.value() : 0;
            svg.append(
                    String.format(Locale.ROOT, "<text x=\"%d\" y=\"%d\" class=\"label\">%s</text>", LABEL - 8, y + 14,
                            HtmlPage.escape(bar.label())));
            svg.append(
                    String.format(Locale.ROOT, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" class=\"bar\"/>",
                            LABEL, y + 3, length, BAR - 6));
            if (Double.isFinite(bar.limit())) {
                svg.append(rule(LABEL + scale * bar.limit(), y + 1, y + BAR - 1, "limit"));
            }
            svg.append(String.format(Locale.ROOT, "<text x=\"%.1f\" y=\"%d\">%s</text>", LABEL + length + 6, y + 14,
                    HtmlPage.escape(bar.text())));
        }
        double x = LABEL + scale * line;
        svg.append(rule(x, BAR - 2, height, "line"));
        svg.append(String.format(Locale.ROOT, "<text x=\"%.1f\" y=\"13\" class=\"middle\">%s</text></svg>", x,
                HtmlPage.escape(lineLabel)));
        return svg.toString();
    }

    private static String rule(double x, int from, int to, String type) {
        return String.format(Locale.ROOT, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" class=\"%s\"/>", x, from,
                x, to,
                type);
    }
}
