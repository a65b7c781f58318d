package io.mixt5.model;

import java.util.stream.IntStream;

/**
 * Which tokens may not follow a row: the end token before the least length, and whatever would complete a run of tokens that
 * the row holds already (Paulus et al., "A Deep Reinforced Model for Abstractive Summarization", 2018, section 2.5).
 *
 * @param least tokens, the start token counted, before which the end token may not come
 * @param ngram length of the runs; 0 for none
 */
record BannedTokens(int end, int least, int ngram) {
    static BannedTokens of(GenerationConfig config, int end) {
        return new BannedTokens(end, config.leastNewTokens() + 1, config.noRepeatNgramSize);
    }

    /** Sorted ids; {@code row} begins with the start token. */
    int[] after(int[] row) {
        IntStream early = row.length < least ? IntStream.of(end) : IntStream.empty();
        if (ngram == 0 || row.length < ngram) {
            return early.toArray();
        }
        IntStream repeated = IntStream.rangeClosed(0, row.length - ngram).filter(from -> endsLike(row, from))
                .map(from -> row[from + ngram - 1]);
        return IntStream.concat(early, repeated).sorted().distinct().toArray();
    }

    /** Whether the run that begins at {@code from} begins as the row ends. */
    private boolean endsLike(int[] row, int from) {
        int suffix = row.length - (ngram - 1);
        return IntStream.range(0, ngram - 1).allMatch(i -> row[from + i] == row[suffix + i]);
    }
}
