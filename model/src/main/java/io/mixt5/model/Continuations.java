package io.mixt5.model;

import java.util.Arrays;

/**
 * The tokens that may follow a row, the most probable first.
 *
 * @param tokens their ids
 * @param logProbabilities the model's, one to a token
 */
record Continuations(int[] tokens, float[] logProbabilities) {
    /**
     * The first {@code wanted} of a row's best that are not banned.
     *
     * @param banned sorted ids
     */
    static Continuations of(int[] columns, float[] values, int from, int to, int[] banned, int wanted) {
        int[] tokens = new int[Math.min(wanted, to - from)];
        float[] logProbabilities = new float[tokens.length];
        int kept = 0;
        for (int i = from; i < to && kept < tokens.length; i++) {
            if (Arrays.binarySearch(banned, columns[i]) < 0) {
                tokens[kept] = columns[i];
                logProbabilities[kept++] = values[i];
            }
        }
        return new Continuations(Arrays.copyOf(tokens, kept), Arrays.copyOf(logProbabilities, kept));
    }

    int count() {
        return tokens.length;
    }
}
