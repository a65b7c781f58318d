package io.mixt5.engine;

/**
 * The sizes at which ops are timed: those of a T5 and of a step's batch.
 *
 * @param tokens rows of what only streams through memory; enough to lie beyond the last-level cache
 * @param sequences of a batch, for what costs arithmetic: attention and matrix products
 * @param length of each of them, in tokens
 * @param targets rows of logits
 * @param width D, of the residual stream
 * @param heads of the attention, H
 * @param headWidth K, of one head
 * @param hidden F, of the feed-forward layer
 * @param vocabulary V
 * @param experts E, of a mixture
 * @param topK k, experts a token
 */
public record Sizes(int tokens, int sequences, int length, int targets, int width, int heads, int headWidth,
        int hidden, int vocabulary, int experts, int topK) {
    /** Bytes of a number in F32 and of an index. */
    public static final int NUMBER = 4;

    /** Bytes of a matrix [tokens, width] in F32. */
    public long stream() {
        return (long) NUMBER * tokens * width;
    }

    /** Bytes of a matrix [tokens, hidden] in F32. */
    public long hiddenStream() {
        return (long) NUMBER * tokens * hidden;
    }

    /** Rows of the batch, sequences * length. */
    public int rows() {
        return sequences * length;
    }
}
