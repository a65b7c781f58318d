package io.mixt5.model;

import io.mixt5.engine.Tensor;

/**
 * What a feed-forward layer may need to know of its rows.
 *
 * @param lengths of the sequences, one after another
 * @param valid I32 [N], 0 for a token that is padding; null when none is
 * @param trace where mixtures leave what they did; null when nobody wants to know
 */
public record Tokens(int[] lengths, Tensor valid, RoutingTrace trace) {
}
