package io.mixt5.model;

import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.UserException;
import io.mixt5.engine.op.TopK;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Writes outputs for sources, greedily, by beam search or by drawing, with a key/value cache. What is written for a source
 * does not depend on the others of its batch. One thread at a time.
 */
public final class Generator {
    private final T5Model model;
    private final GenerationConfig config;

    /** Hears of the outputs of a source, at the step in which the last of them ended. */
    @FunctionalInterface
    public interface Listener {
        /**
         * Takes the outputs.
         *
         * @param source which one, as numbered in the batch
         * @param outputs {@code num_return_sequences} of them, of a beam search the best first
         */
        void finished(int source, List<Generated> outputs);
    }

    /**
     * Writes as {@code config} says.
     *
     * @throws UserException when a value of it cannot be
     */
    public Generator(T5Model model, GenerationConfig config) {
        config.check("the generation's configuration");
        this.model = model;
        this.config = config;
    }

    /**
     * Writes greedily.
     *
     * @param maxLength most tokens of an output, the start token counted, as Hugging Face's {@code max_length} has it; at least 2
     */
    public Generator(T5Model model, int maxLength) {
        this(model, GenerationConfig.greedy(maxLength));
    }

    /** The best or first output of each source: what follows the start token, up to and with the end token where reached. */
    public List<int[]> generate(List<int[]> sources) {
        return outputs(sources).stream().map(outputs -> outputs.getFirst().ids()).toList();
    }

    /** The {@code num_return_sequences} outputs of each source. */
    public List<List<Generated>> outputs(List<int[]> sources) {
        List<List<Generated>> all = new ArrayList<>();
        sources.forEach(source -> all.add(null));
        generate(sources, all::set);
        return all;
    }

    /**
     * Writes for all sources, and tells of each as it is done.
     *
     * @throws UserException when the model gives no probabilities (NaN), or nothing may be written
     */
    public void generate(List<int[]> sources, Listener listener) {
        if (sources.isEmpty()) {
            return;
        }
        Ragged source = Ragged.of(sources);
        Search[] searches = sources.stream().map(this::search).toArray(Search[]::new);
        BannedTokens bans = BannedTokens.of(config, model.config().eosTokenId);
        try (Scope scope = new Scope(model.device())) {
            Tape prefill = Tape.inference(scope);
            Tensor encoded = model.encode(prefill, source);
            KeyValueCache cache = new KeyValueCache(prefill, scope, model, encoded, source, config.rows(),
                    config.mostNewTokens());
            int[] active = IntStream.range(0, searches.length).toArray();
            while (active.length > 0) {
                step(prefill, cache, active, searches, bans);
                for (int s : active) {
                    if (searches[s].rows().isEmpty()) {
                        listener.finished(s, searches[s].outputs());
                    }
                }
                active = Arrays.stream(active).filter(s -> !searches[s].rows().isEmpty()).toArray();
            }
        }
    }

    private Search search(int[] source) {
        int start = model.config().decoderStartTokenId;
        int end = model.config().eosTokenId;
        return config.numBeams > 1
                ? new BeamSearch(config, start, end)
                : new SampleSearch(config, source, start, end);
    }

    /** One token more for every row of the active searches. */
    private void step(Tape prefill, KeyValueCache cache, int[] active, Search[] searches, BannedTokens bans) {
        List<int[]> rows = new ArrayList<>();
        List<int[]> parents = new ArrayList<>();
        for (int s : active) {
            rows.addAll(searches[s].rows());
            parents.add(searches[s].parents());
        }
        int[][] banned = rows.stream().map(bans::after).toArray(int[][]::new);
        int wanted = searches[active[0]].wanted();
        int most = Arrays.stream(banned).mapToInt(b -> b.length).max().orElse(0);
        int k = (int) Math.min(model.config().vocabSize, (long) wanted + most);
        int[] columns;
        float[] logProbabilities;
        try (Scope scope = prefill.scope().child()) {
            Tape tape = prefill.next(scope);
            int[] last = rows.stream().mapToInt(row -> row[row.length - 1]).toArray();
            TopK.Best best = scope.device().backend().together(() -> {
                cache.begin(tape, active, parents);
                Tensor states = model.decode(tape, model.ids(tape, last, "decoder id"), cache.selfLayout(), cache,
                        cache.tokens(null));
                cache.advance();
                return TopK.apply(tape, model.logits(tape, states), k);
            });
            columns = best.columns().toInts();
            logProbabilities = best.logProbabilities().toFloats();
        }
        int row = 0;
        for (int s : active) {
            List<Continuations> continuations = new ArrayList<>();
            for (int end = row + searches[s].rows().size(); row < end; row++) {
                Continuations following = Continuations.of(columns, logProbabilities, row * k, (row + 1) * k,
                        banned[row], wanted);
                requireTokens(following);
                continuations.add(following);
            }
            searches[s].take(continuations);
        }
    }

    private void requireTokens(Continuations following) {
        if (following.count() == 0) {
            throw new UserException(
                    "no token is left to go on with, as no_repeat_ngram_size " + config.noRepeatNgramSize
                            + " bans the whole vocabulary; give a larger one, or shorter outputs");
        }
        if (Float.isNaN(following.logProbabilities()[0])) {
            throw new UserException("the model gives no probabilities to generate from (its logits are not numbers); "
                    + "check its weights, and try fp32 where it computes in " + model.precision().dtype());
        }
    }
}
