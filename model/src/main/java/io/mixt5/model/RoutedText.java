package io.mixt5.model;

import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Where the mixtures send the tokens of a source and of an output that is written for it, token by token as
 * {@link Generator} writes it.
 *
 * @param encoder the encoder's mixtures, one entry of each to a token of the source
 * @param decoder the decoder's mixtures, one entry of each to a token that the decoder reads: the start token, and the output's
 *        but the last
 */
public record RoutedText(List<TokenRouting> encoder, List<TokenRouting> decoder) {
    /** Runs the model on a source and an output, such as the ids of a {@link Generated}. */
    public static RoutedText of(T5Model model, int[] source, int[] output) {
        Ragged text = Ragged.of(List.of(source));
        try (Scope scope = new Scope(model.device())) {
            Tape prefill = Tape.inference(scope);
            RoutingTrace encoding = RoutingTrace.ofTokens();
            Tensor encoded = model.encode(prefill, text, encoding);
            KeyValueCache cache = new KeyValueCache(prefill, scope, model, encoded, text, 1,
                    Math.max(1, output.length));
            List<TokenRouting> decoder = new ArrayList<>();
            for (int position = 0; position < output.length; position++) {
                int token = position == 0 ? model.config().decoderStartTokenId : output[position - 1];
                append(decoder, step(model, prefill, cache, token));
            }
            return new RoutedText(encoding.tokens(), decoder);
        }
    }

    private static List<TokenRouting> step(T5Model model, Tape prefill, KeyValueCache cache, int token) {
        try (Scope scope = prefill.scope().child()) {
            Tape tape = prefill.next(scope);
            cache.begin(tape, new int[]{0}, List.of(new int[]{0}));
            RoutingTrace trace = RoutingTrace.ofTokens();
            model.decode(tape, model.ids(tape, new int[]{token}, "decoder id"), cache.selfLayout(), cache,
                    cache.tokens(trace));
            cache.advance();
            return trace.tokens();
        }
    }

    private static void append(List<TokenRouting> all, List<TokenRouting> step) {
        for (int layer = 0; layer < step.size(); layer++) {
            if (all.size() == layer) {
                all.add(new TokenRouting(step.get(layer).layer(), new ArrayList<>()));
            }
            all.get(layer).tokens().addAll(step.get(layer).tokens());
        }
    }
}
