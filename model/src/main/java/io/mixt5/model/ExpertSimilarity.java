package io.mixt5.model;

import io.mixt5.engine.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * How alike the experts of a mixture are: the mean cosine between the weights of two of them, over all pairs. It is 1
 * right after upcycling without noise, when all are copies, about 0 for random experts, and falls as they specialise.
 *
 * @param layer its name, as its parameters' prefix
 * @param cosine in [-1, 1]; 1 for a single expert, which has no pair
 */
public record ExpertSimilarity(String layer, double cosine) {
    /** One entry for each mixture of a model, encoder first; none for a dense one. Reads every expert's weights. */
    public static List<ExpertSimilarity> of(T5Model model) {
        Objects.requireNonNull(model, "model");
        List<ExpertSimilarity> layers = new ArrayList<>();
        String router = "gate.weight";
        for (Parameter parameter : model.parameters().all()) {
            if (parameter.name().endsWith("." + router)) {
                String prefix = parameter.name().substring(0, parameter.name().length() - router.length());
                layers.add(new ExpertSimilarity(prefix.substring(0, prefix.length() - 1),
                        mean(model.parameters(), prefix, model.config())));
            }
        }
        return layers;
    }

    /**
     * With u_e an expert's weights divided by their norm, the sum over ordered pairs of u_e u_f is
     * |sum u|^2 - sum |u_e|^2: no pair is visited by itself.
     */
    private static double mean(Parameters parameters, String prefix, T5Config config) {
        int experts = config.mixture().numLocalExperts;
        if (experts == 1) {
            return 1;
        }
        List<String> matrices = config.gated() ? List.of("wi_0", "wi_1", "wo") : List.of("wi", "wo");
        double[] norms = new double[experts];
        for (int e = 0; e < experts; e++) {
            double squares = 0;
            for (String matrix : matrices) {
                squares += squares(weights(parameters, prefix, e, matrix));
            }
            norms[e] = Math.sqrt(squares);
        }
        double pairs = 0;
        for (String matrix : matrices) {
            pairs += pairs(parameters, prefix, matrix, norms);
        }
        return pairs / ((double) experts * (experts - 1));
    }

    /** One matrix's part of the sum over ordered pairs; experts of zeros are like none. */
    private static double pairs(Parameters parameters, String prefix, String matrix, double[] norms) {
        double[] sum = null;
        double own = 0;
        for (int e = 0; e < norms.length; e++) {
            float[] weights = weights(parameters, prefix, e, matrix);
            double scale = norms[e] == 0 ? 0 : 1 / norms[e];
            sum = sum == null ? new double[weights.length] : sum;
            for (int i = 0; i < weights.length; i++) {
                sum[i] += weights[i] * scale;
            }
            own += squares(weights) * scale * scale;
        }
        double all = 0;
        for (double value : sum) {
            all += value * value;
        }
        return all - own;
    }

    private static double squares(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += (double) value * value;
        }
        return sum;
    }

    private static float[] weights(Parameters parameters, String prefix, int expert, String matrix) {
        return parameters.get(prefix + "experts." + expert + "." + matrix + ".weight").value().toFloats();
    }
}
