package io.mixt5.bench;

import io.mixt5.engine.Parameter;
import io.mixt5.model.MixtureConfig;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import java.util.regex.Pattern;

/** Counts the floating-point operations of the matrix products of a training step; all else hardly counts. */
final class StepFlops {
    /** What is looked up and not multiplied. */
    private static final Pattern TABLE = Pattern.compile("shared\\..*|.*relative_attention_bias.*");
    private static final Pattern FROM_ENCODER = Pattern.compile("encoder\\..*|decoder\\..*EncDecAttention\\.[kv]\\..*");

    private StepFlops() {
    }

    /**
     * Of a model whose output projection is not tied to its embedding: 2 for each weight and token forward, twice that
     * backward; attention's two products of all queries and keys forward and five backward, as scores are computed again.
     */
    static long of(T5Model model, long batch, long source, long target) {
        T5Config config = model.config();
        MixtureConfig mixture = config.mixture();
        double products = 0;
        for (Parameter parameter : model.parameters().all()) {
            String name = parameter.name();
            if (parameter.value().shape().rank() == 2 && !TABLE.matcher(name).matches()) {
                double tokens = batch * (FROM_ENCODER.matcher(name).matches() ? source : target);
                double share = name.contains(".experts.")
                        ? (double) mixture.numExpertsPerTok / mixture.numLocalExperts
                        : 1;
                products += 3 * 2 * tokens * share * parameter.value().count();
            }
        }
        long scores = config.numLayers * source * source
                + config.decoderLayers() * (target * (target + 1) / 2 + target * source);
        return (long) products + 7 * 2 * batch * scores * config.innerWidth();
    }
}
