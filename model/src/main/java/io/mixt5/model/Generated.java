package io.mixt5.model;

/**
 * One output of a {@link Generator}.
 *
 * @param ids what follows the start token, up to and with the end token where it was reached
 * @param score the sum of the tokens' log-probabilities, as the model gives them; of a beam search, over the length to the
 *        power of {@code length_penalty}: Hugging Face's {@code sequences_scores}
 */
public record Generated(int[] ids, double score) {
}
