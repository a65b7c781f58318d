package io.mixt5.engine;

/**
 * The random numbers of one site of the model in one step: a stream of {@link Philox}, whose number {@code index} is
 * the same however often and in whatever order it is asked for.
 *
 * @param seed the run's seed
 * @param id the site within a step
 * @param step the step (micro-batches counted apart)
 */
public record RandomStream(long seed, int id, int step) {
    /** Number {@code index} >= 0, in [0, 1) with 24 random bits. */
    public float uniform(long index) {
        return Philox.uniform(seed, id, step, index);
    }
}
