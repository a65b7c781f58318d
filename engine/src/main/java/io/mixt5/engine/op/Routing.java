package io.mixt5.engine.op;

import io.mixt5.engine.Tensor;

/**
 * Where {@link Route} sends N tokens, k experts each, of E experts. An entry is a pair (token n, choice s).
 *
 * <p>Entries that have a place in an expert are dispatched: each gets a row of a matrix of R rows, in which the rows of
 * an expert follow each other in the order in which they got their places. R is an upper bound that the host knows (at
 * most N k); the rows in use are the first offsets[E].
 *
 * <p>The backward pass closes what has N or R rows, and the losses, unless {@link io.mixt5.engine.Tape#keep} lets them
 * out; counts, offsets and stats stay until the scope closes.
 *
 * @param weights [N, k] what each entry's result is multiplied by, in the accumulator type; 0 for one without a place.
 *        Differentiable
 * @param experts I32 [N, k] the expert of each entry: the one that has it, or, where none has, the one chosen first; -1
 *        for a token that is padding
 * @param slots I32 [N, k] the row of each entry; -1 for one without a place
 * @param tokens I32 [R] the token in each row; -1 for a row not in use
 * @param offsets I32 [E + 1] where each expert's rows begin, and behind the last where all end
 * @param counts I32 [E] how many entries chose each expert, before any was dropped or sent on
 * @param balance [1] E * sum_i f_i P_i, with f_i = counts_i / (k N) and P_i the mean probability of expert i, over the
 *        tokens that are not padding; 1 when balanced, 0 without tokens. Differentiable through P
 * @param z [1] the mean square of the log-sum-exp of a token's logits; 0 without tokens. Differentiable
 * @param stats [4] figures about the tokens that are not padding, at the places {@link #TOKENS} to {@link #GATE}
 * @param probabilities [N, E] softmax of the logits, zeros for padding
 * @param logSumExp [N] of a token's logits, 0 for padding
 */
public record Routing(Tensor weights, Tensor experts, Tensor slots, Tensor tokens, Tensor offsets, Tensor counts,
        Tensor balance, Tensor z, Tensor stats, Tensor probabilities, Tensor logSumExp) {
    /** Place in {@link #stats}: how many tokens are not padding. */
    public static final int TOKENS = 0;
    /** Place in {@link #stats}: how many of their entries have no place. */
    public static final int DROPPED = 1;
    /** Place in {@link #stats}: their mean entropy over the experts, in nats; 0 without tokens. */
    public static final int ENTROPY = 2;
    /** Place in {@link #stats}: the mean probability of the expert of their first entry; 0 without tokens. */
    public static final int GATE = 3;
    /** Length of {@link #stats}. */
    public static final int STATS = 4;

    /** How many experts a token has, k. */
    public int topK() {
        return (int) experts.shape().dim(1);
    }

    /** Number of experts, E. */
    public int expertCount() {
        return (int) counts.count();
    }
}
