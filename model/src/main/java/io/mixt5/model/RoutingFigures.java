package io.mixt5.model;

import io.mixt5.engine.op.Routing;
import java.util.Arrays;

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
    static RoutingFigures read(String layer, Routing routing) {
        float[] stats = routing.stats().toFloats();
        return new RoutingFigures(layer, routing.counts().toInts(), (int) stats[Routing.TOKENS],
                (int) stats[Routing.DROPPED],
                stats[Routing.ENTROPY], stats[Routing.GATE], routing.balance().toFloats()[0],
                routing.z().toFloats()[0]);
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
