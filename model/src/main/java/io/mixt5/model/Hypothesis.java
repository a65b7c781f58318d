package io.mixt5.model;

import java.util.Arrays;

/**
 * An output in the making.
 *
 * @param ids from the start token on
 * @param score the sum of the log-probabilities of those behind the start token, in the single precision that ranks them
 */
record Hypothesis(int[] ids, float score) {
    /** Nothing but the start token. */
    static Hypothesis start(int token) {
        return new Hypothesis(new int[]{token}, 0);
    }

    /** This one with a token more. */
    Hypothesis with(int token, float logProbability) {
        int[] longer = Arrays.copyOf(ids, ids.length + 1);
        longer[ids.length] = token;
        return new Hypothesis(longer, score + logProbability);
    }

    /** Tokens behind the start token. */
    int newTokens() {
        return ids.length - 1;
    }

    int last() {
        return ids[ids.length - 1];
    }

    /** As an output with that score. */
    Generated generated(double finalScore) {
        return new Generated(Arrays.copyOfRange(ids, 1, ids.length), finalScore);
    }
}
