package io.mixt5.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Config;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The lengths of real questions with their contexts, and of their answers, in tokens: 336 of SQuAD's development set, in
 * batches of eight as a shuffled epoch has them. They are kept in {@value #FILE}, which peers read too.
 */
final class SquadLengths {
    /** Batches, each of pairs of a source's and a target's length. */
    static final String FILE = "squad-lengths.json";

    private SquadLengths() {
    }

    /** A model's batches of random words in sequences of these lengths, in order. */
    static List<T5Batch> batches(T5Config config) {
        int[][][] batches = read();
        return IntStream.range(0, batches.length)
                .mapToObj(b -> T5Batch.of(words(config, batches[b], 0, 2 * b), words(config, batches[b], 1, 2 * b + 1),
                        config))
                .toList();
    }

    private static List<int[]> words(T5Config config, int[][] pairs, int column, int stream) {
        return IntStream.range(0, pairs.length)
                .mapToObj(i -> RandomData.words(config, 1, pairs[i][column], stream * pairs.length + i).getFirst())
                .toList();
    }

    /** By batch and sequence, the lengths of source and target. */
    static int[][][] read() {
        try (InputStream file = SquadLengths.class.getResourceAsStream(FILE)) {
            return new ObjectMapper().readValue(file, int[][][].class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
