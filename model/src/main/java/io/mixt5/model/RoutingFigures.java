package io.mixt5.model;

import io.mixt5.engine.ReadBack;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Routing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * What a mixture did in one pass, over the tokens that are not padding.
 *
 * @param layer its name, as its parameters' prefix
 * @param counts entries (a token's k choices count each) that chose each expert, before any was dropped
 * @param tokens number of tokens
 * @param dropped entries that got no place
 * @param entropy mean entropy of the router's probabilities, in nats
 * @param gate mean probability of the first choice
 * @param balance the balance loss, before its factor; 1 when balanced
 * @param z the z-loss, before its factor
 */
public record RoutingFigures(String layer, int[] counts, int tokens, int dropped, double entropy, double gate,
        double balance,
        double z) {
    /** The figures of layers and their routings, all read from the device at once. */
    static List<RoutingFigures> read(Map<String, Routing> layers) {
        List<Tensor> tensors = new ArrayList<>();
        for (Routing routing : layers.values()) {
            tensors.addAll(List.of(routing.counts(), routing.stats(), routing.balance(), routing.z()));
        }
        Iterator<double[]> values = ReadBack.of(tensors).iterator();
        List<RoutingFigures> figures = new ArrayList<>();
        for (String layer : layers.keySet()) {
            int[] counts = Arrays.stream(values.next()).mapToInt(count -> (int) count).toArray();
            double[] stats = values.next();
            figures.add(new RoutingFigures(layer, counts, (int) stats[Routing.TOKENS], (int) stats[Routing.DROPPED],
                    stats[Routing.ENTROPY], stats[Routing.GATE], values.next()[0], values.next()[0]));
        }
        return figures;
    }

    /** The busiest expert's entries relative to the mean; 1 when balanced, 0 without tokens. */
    public double imbalance() {
        int sum = Arrays.stream(counts).sum();
        return sum == 0 ? 0 : Arrays.stream(counts).max().orElse(0) * (double) counts.length / sum;
    }

    /** Share of the entries that got no place. */
    public double droppedShare() {
        int sum = Arrays.stream(counts).sum();
        return sum == 0 ? 0 : dropped / (double) sum;
    }
}
