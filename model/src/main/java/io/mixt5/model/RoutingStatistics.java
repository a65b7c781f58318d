package io.mixt5.model;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What the mixtures of a model did over many passes: counts add up; entropy, gate and losses are means over the tokens.
 * Not for use by several threads.
 */
public final class RoutingStatistics {
    private final Map<String, RoutingFigures> layers = new LinkedHashMap<>();

    /**
     * Adds a pass.
     *
     * @param pass as {@link RoutingTrace#figures()} gives it
     * @throws ArithmeticException past 2^31 entries of an expert
     */
    public void add(List<RoutingFigures> pass) {
        Objects.requireNonNull(pass, "pass");
        pass.forEach(figures -> layers.merge(figures.layer(), figures, RoutingStatistics::sum));
    }

    private static RoutingFigures sum(RoutingFigures a, RoutingFigures b) {
        int[] counts = a.counts().clone();
        Arrays.setAll(counts, e -> Math.addExact(counts[e], b.counts()[e]));
        int tokens = Math.addExact(a.tokens(), b.tokens());
        double share = tokens == 0 ? 0 : b.tokens() / (double) tokens;
        return new RoutingFigures(a.layer(), counts, tokens, Math.addExact(a.dropped(), b.dropped()),
                mean(a.entropy(), b.entropy(), share), mean(a.gate(), b.gate(), share),
                mean(a.balance(), b.balance(), share), mean(a.z(), b.z(), share));
    }

    private static double mean(double a, double b, double share) {
        return a + (b - a) * share;
    }

    /** One entry for each mixture, in the order of the first pass, encoder first; none before that. */
    public List<RoutingFigures> layers() {
        return List.copyOf(layers.values());
    }
}
