package io.mixt5.model;

import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.ArgMax;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Greedy generation with a key/value cache. One thread at a time. */
public final class Generator {
    private final T5Model model;
    private final int maxLength;

    /**
     * @param maxLength most tokens of an output, the start token counted, as Hugging Face's {@code max_length} has it; at least 2
     */
    public Generator(T5Model model, int maxLength) {
        if (maxLength < 2) {
            throw new IllegalArgumentException("an output has at least the start token and one more, not " + maxLength);
        }
        this.model = model;
        this.maxLength = maxLength;
    }

    /** The output of each source: what follows the start token, up to and with the end token where it was reached. */
    public List<int[]> generate(List<int[]> sources) {
        Ragged source = Ragged.of(sources);
        int[][] outputs = new int[sources.size()][maxLength - 1];
        int[] lengths = new int[sources.size()];
        try (Scope scope = new Scope(model.device())) {
            Tape prefill = Tape.inference(scope);
            Tensor encoded = model.encode(prefill, source);
            KeyValueCache cache = new KeyValueCache(prefill, scope, model, encoded, source, maxLength - 1);
            int[] active = IntStream.range(0, sources.size()).toArray();
            for (int step = 0; step < maxLength - 1 && active.length > 0; step++) {
                int position = step;
                int[] last = Arrays.stream(active)
                        .map(b -> position == 0 ? model.config().decoderStartTokenId : outputs[b][position - 1])
                        .toArray();
                int[] next = step(prefill, cache, active, last);
                for (int i = 0; i < active.length; i++) {
                    outputs[active[i]][step] = next[i];
                    lengths[active[i]] = step + 1;
                }
                active = Arrays.stream(active).filter(b -> outputs[b][position] != model.config().eosTokenId).toArray();
            }
        }
        List<int[]> results = new ArrayList<>();
        for (int b = 0; b < outputs.length; b++) {
            results.add(Arrays.copyOf(outputs[b], lengths[b]));
        }
        return results;
    }

    private int[] step(Tape prefill, KeyValueCache cache, int[] active, int[] last) {
        try (Scope scope = prefill.scope().child()) {
            Tape tape = prefill.next(scope);
            cache.begin(tape, active);
            Tensor states = model.decode(tape, model.ids(tape, last, "decoder id"), cache.selfLayout(), cache,
                    cache.tokens());
            cache.advance();
            return ArgMax.apply(tape, model.logits(tape, states)).toInts();
        }
    }
}
