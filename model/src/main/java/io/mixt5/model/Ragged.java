package io.mixt5.model;

import io.mixt5.engine.op.SequenceLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Token sequences of different lengths, one after another without padding, so that no work is spent on padding.
 *
 * @param ids all tokens, sequence after sequence
 * @param lengths of the sequences; their sum is the number of ids
 */
public record Ragged(int[] ids, int[] lengths) {
    /** Checks that the lengths add up. */
    public Ragged {
        Objects.requireNonNull(ids, "ids");
        Objects.requireNonNull(lengths, "lengths");
        if (Arrays.stream(lengths).asLongStream().sum() != ids.length) {
            throw new IllegalArgumentException(
                    "sequences of lengths " + Arrays.toString(lengths) + " do not make " + ids.length + " ids");
        }
    }

    /** These sequences. */
    public static Ragged of(List<int[]> sequences) {
        Objects.requireNonNull(sequences, "sequences");
        int[] lengths = sequences.stream().mapToInt(s -> s.length).toArray();
        int[] ids = new int[Arrays.stream(lengths).sum()];
        int at = 0;
        for (int[] sequence : sequences) {
            System.arraycopy(sequence, 0, ids, at, sequence.length);
            at += sequence.length;
        }
        return new Ragged(ids, lengths);
    }

    /**
     * The tokens of a padded batch at which {@code mask} is not 0; row by row they must be one run (padding on the left, the
     * right or both sides), because positions within a sequence are counted from its first token.
     */
    public static Ragged ofPadded(int[][] ids, int[][] mask) {
        int[][] rows = new int[ids.length][];
        for (int b = 0; b < ids.length; b++) {
            int from = 0;
            while (from < mask[b].length && mask[b][from] == 0) {
                from++;
            }
            int to = from;
            while (to < mask[b].length && mask[b][to] != 0) {
                to++;
            }
            for (int i = to; i < mask[b].length; i++) {
                if (mask[b][i] != 0) {
                    throw new IllegalArgumentException(
                            "row " + b + " of the attention mask has a hole before position " + i
                                    + "; only padding at the ends can be left out");
                }
            }
            rows[b] = Arrays.copyOfRange(ids[b], from, to);
        }
        return of(List.of(rows));
    }

    /** Number of sequences. */
    public int size() {
        return lengths.length;
    }

    /** Each sequence attending to itself. */
    public SequenceLayout selfLayout() {
        return SequenceLayout.self(lengths);
    }
}
