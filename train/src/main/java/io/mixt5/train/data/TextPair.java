package io.mixt5.train.data;

/**
 * A training example as token ids.
 *
 * @param id what the data set calls it
 * @param source the encoder's tokens
 * @param target the labels, with the end token
 */
public record TextPair(String id, int[] source, int[] target) {
}
