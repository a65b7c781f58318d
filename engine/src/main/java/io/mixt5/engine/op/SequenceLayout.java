package io.mixt5.engine.op;

import java.util.Arrays;

/**
 * Where the sequences of a ragged batch lie: sequence b's queries are rows queryStart[b] to queryStart[b] +
 * queryCount[b] of the query matrix, and its keys rows keyStart[b] to keyStart[b] + keyCount[b] of the key matrix.
 *
 * @param queryPosition position of a sequence's first query, counted as its keys are: 0 except when generating with a
 * cache
 */
public record SequenceLayout(int[] queryStart, int[] queryCount, int[] keyStart, int[] keyCount, int[] queryPosition) {
    /** Checks that all arrays have one length and no number is negative. Sequences may share rows. */
    public SequenceLayout {
        int n = queryStart.length;
        if (queryCount.length != n || keyStart.length != n || keyCount.length != n || queryPosition.length != n) {
            throw new IllegalArgumentException("a layout needs one entry per sequence in every array");
        }
        for (int[] numbers : new int[][]{queryStart, queryCount, keyStart, keyCount, queryPosition}) {
            for (int number : numbers) {
                if (number < 0) {
                    throw new IllegalArgumentException(
                            "a layout has a negative start, count or position: " + Arrays.toString(numbers));
                }
            }
        }
    }

    /** Sequences that follow each other without gaps, each attending to itself. */
    public static SequenceLayout self(int... lengths) {
        return cross(lengths, lengths);
    }

    /**
     * Sequences that follow each other without gaps, the b-th of the first matrix attending to the b-th of the second.
     */
    public static SequenceLayout cross(int[] queryLengths, int[] keyLengths) {
        return new SequenceLayout(starts(queryLengths), queryLengths.clone(), starts(keyLengths), keyLengths.clone(),
                new int[queryLengths.length]);
    }

    /** The row at which each of these sequences starts when they follow each other. */
    public static int[] starts(int[] lengths) {
        int[] starts = new int[lengths.length];
        for (int i = 1; i < lengths.length; i++) {
            starts[i] = Math.addExact(starts[i - 1], lengths[i - 1]);
        }
        return starts;
    }

    /** Number of sequences. */
    public int sequences() {
        return queryStart.length;
    }

    /** Length of the longest key sequence, rounded up to a multiple of 4: the row stride of dropout's element index. */
    public int keyStride() {
        return (Arrays.stream(keyCount).max().orElse(0) + 3) / 4 * 4;
    }

    /** One more than the last row of the query matrix in use. */
    public int queryRows() {
        return end(queryStart, queryCount);
    }

    /** One more than the last row of the key matrix in use. */
    public int keyRows() {
        return end(keyStart, keyCount);
    }

    private static int end(int[] starts, int[] counts) {
        int end = 0;
        for (int i = 0; i < starts.length; i++) {
            end = Math.max(end, Math.addExact(starts[i], counts[i]));
        }
        return end;
    }
}
