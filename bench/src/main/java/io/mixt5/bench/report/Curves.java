package io.mixt5.bench.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/** Lines over few points, as SVG: costs by number of experts, and the history of a benchmark. */
final class Curves {
    private static final int WIDTH = 640;
    private static final int HEIGHT = 240;
    private static final int LEFT = 50;
    private static final int LEGEND = 220;
    private static final List<String> COLOURS = List.of("#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed",
            "#475569");
    private static final int SPARK_WIDTH = 90;
    private static final int SPARK_HEIGHT = 18;

    private Curves() {
    }

    /** Times relative to the dense layer, by number of experts on a logarithmic axis. */
    static String byExperts(Map<String, Map<Integer, Double>> curves) {
        TreeSet<Integer> experts = new TreeSet<>();
        curves.values().forEach(curve -> experts.addAll(curve.keySet()));
        double most = curves.values().stream().flatMap(curve -> curve.values().stream()).mapToDouble(v -> v).max()
                .orElse(1);
        double top = Math.max(1.1 * most, 1.2);
        double octaves = Math.max(1, Math.log((double) experts.last() / experts.first()) / Math.log(2));
        StringBuilder svg = new StringBuilder();
        svg.append(String.format(Locale.ROOT, "<svg viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\">",
                LEFT + WIDTH + LEGEND,
                HEIGHT + 44, LEFT + WIDTH + LEGEND));
        double one = y(1, top);
        svg.append(String.format(Locale.ROOT, "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" class=\"line\"/>"
                + "<text x=\"%d\" y=\"%.1f\" class=\"label\">dense</text>", LEFT, one, LEFT + WIDTH, one, LEFT - 6,
                one + 4));
        for (int e : experts) {
            svg.append(String.format(Locale.ROOT, "<text x=\"%.1f\" y=\"%d\" class=\"middle\">%d</text>",
                    x(e, experts.first(), octaves), HEIGHT + 18, e));
        }
        svg.append(
                String.format(Locale.ROOT, "<text x=\"%d\" y=\"%d\" class=\"middle\">experts</text>", LEFT + WIDTH / 2,
                        HEIGHT + 38));
        int number = 0;
        for (Map.Entry<String, Map<Integer, Double>> curve : curves.entrySet()) {
            String colour = COLOURS.get(number % COLOURS.size());
            List<double[]> points = new ArrayList<>();
            curve.getValue()
                    .forEach((e, value) -> points.add(new double[]{x(e, experts.first(), octaves), y(value, top)}));
            svg.append(polyline(points, colour));
            int index = 0;
            for (double value : curve.getValue().values()) {
                double[] point = points.get(index++);
                svg.append(String.format(Locale.ROOT, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"><title>%s"
                        + "</title></circle>", point[0], point[1], colour, Numbers.times(value)));
            }
            svg.append(String.format(Locale.ROOT, "<text x=\"%d\" y=\"%d\" fill=\"%s\">%s, up to %s</text>",
                    LEFT + WIDTH + 12,
                    20 + 18 * number++, colour, HtmlPage.escape(curve.getKey()), Numbers.times(
                            curve.getValue().values().stream().mapToDouble(v -> v).max().orElse(Double.NaN))));
        }
        return svg.append("</svg>").toString();
    }

    private static double x(int experts, int first, double octaves) {
        return LEFT + 12 + (WIDTH - 24) * Math.log((double) experts / first) / Math.log(2) / octaves;
    }

    private static double y(double value, double top) {
        return HEIGHT * (1 - value / top);
    }

    /** A small line through numbers, oldest first, gaps left out; lower is less. Empty for fewer than two. */
    static String spark(List<Double> values) {
        List<Double> known = values.stream().filter(Double::isFinite).toList();
        if (known.size() < 2) {
            return "";
        }
        double most = known.stream().mapToDouble(v -> v).max().orElseThrow();
        List<double[]> points = new ArrayList<>();
        for (int i = 0; i < known.size(); i++) {
            points.add(new double[]{2 + (SPARK_WIDTH - 4.0) * i / (known.size() - 1),
                    SPARK_HEIGHT - 2 - (SPARK_HEIGHT - 4) * known.get(i) / most});
        }
        return String.format(Locale.ROOT, "<svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">%s</svg>", SPARK_WIDTH,
                SPARK_HEIGHT, SPARK_WIDTH, SPARK_HEIGHT, polyline(points, COLOURS.getFirst()));
    }

    private static String polyline(List<double[]> points, String colour) {
        StringBuilder text = new StringBuilder("<polyline fill=\"none\" stroke-width=\"1.5\" stroke=\"").append(colour)
                .append("\" points=\"");
        points.forEach(point -> text.append(String.format(Locale.ROOT, "%.1f,%.1f ", point[0], point[1])));
        return text.append("\"/>").toString();
    }
}
