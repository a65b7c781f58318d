package io.mixt5.model;

import io.mixt5.engine.Philox;

/**
 * Chooses the token that follows: the most probable one, or one drawn from the most probable {@code top_k}, of these from
 * the first ones that reach {@code top_p} together (Holtzman et al., "The Curious Case of Neural Text Degeneration", ICLR
 * 2020), with logits divided by {@code temperature}.
 */
final class TokenSampler {
    private final GenerationConfig config;

    TokenSampler(GenerationConfig config) {
        this.config = config;
    }

    /** How many continuations {@link #choose} looks at. */
    int wanted() {
        if (!config.doSample) {
            return 1;
        }
        return config.topK == 0 ? Integer.MAX_VALUE : config.topK;
    }

    /** The probabilities that the first continuations are drawn with; the others are not drawn. */
    double[] probabilities(Continuations continuations) {
        double[] shares = new double[continuations.count()];
        double sum = 0;
        double first = continuations.logProbabilities()[0];
        for (int i = 0; i < shares.length; i++) {
            shares[i] = Math.exp((continuations.logProbabilities()[i] - first) / config.temperature);
            sum += shares[i];
        }
        int kept = 1;
        double reached = shares[0];
        while (kept < shares.length && reached < config.topP * sum) {
            reached += shares[kept++];
        }
        double[] probabilities = new double[kept];
        for (int i = 0; i < kept; i++) {
            probabilities[i] = shares[i] / reached;
        }
        return probabilities;
    }

    /** The place of the chosen one, a pure function of the seed, {@code stream}, {@code position} and {@code row}. */
    int choose(Continuations continuations, int stream, int position, int row) {
        if (!config.doSample) {
            return 0;
        }
        double[] probabilities = probabilities(continuations);
        double left = Philox.uniform(config.seed, stream, position, row);
        int chosen = 0;
        while (chosen < probabilities.length - 1 && left >= probabilities[chosen]) {
            left -= probabilities[chosen++];
        }
        return chosen;
    }
}
