package io.mixt5.model;

import io.mixt5.engine.Parameter;
import io.mixt5.engine.Philox;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.UserException;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Turns a dense model into a mixture of experts (Komatsuzaki et al., "Sparse Upcycling", 2022): each expert starts as a copy of
 * the block's feed-forward layer, each router at random, and everything else stays.
 *
 * <p>NoisyTune (Wu et al., "NoisyTune", ACL 2022) may then perturb each matrix W of each expert, each differently:
 * W += U(-lambda / 2, lambda / 2) * std(W).
 */
public final class Upcycling {
    private static final Pattern EXPERT = Pattern.compile("(.*\\.layer\\.\\d+\\.)experts\\.\\d+\\.(.*)");

    /** Random numbers that neither training (steps from 0) nor initialisation (-1) draws. */
    private static final int ROUTER_STEP = -2;
    private static final int NOISE_STEP = -3;

    private Upcycling() {
    }

    /**
     * A model of its own with the dense parent's weights, on the parent's device. The caller closes it.
     *
     * @param lambda NoisyTune's; 0 for none
     * @param seed of routers and noise
     * @throws UserException when the parent is a mixture already, or the mixtures cannot be
     */
    public static T5Model upcycle(T5Model parent, MixtureConfig mixture, double lambda, long seed) {
        Objects.requireNonNull(parent, "parent");
        Objects.requireNonNull(mixture, "mixture");
        if (parent.config().mixture().activateMoe) {
            throw new UserException("the model to upcycle is a mixture of experts already; start from a dense one");
        }
        if (!(lambda >= 0)) {
            throw new UserException("NoisyTune's lambda must be at least 0, not " + lambda);
        }
        T5Config config = parent.config().with(mixture);
        config.check("the upcycled model");
        T5Model child = T5Model.blank(config, parent.device());
        int stream = 0;
        for (Parameter parameter : child.parameters().all()) {
            fill(parameter, parent.parameters(), lambda, seed, stream++);
        }
        return child;
    }

    private static void fill(Parameter parameter, Parameters parents, double lambda, long seed, int stream) {
        Parameter same = parents.get(parameter.name());
        Matcher expert = EXPERT.matcher(parameter.name());
        if (same != null) {
            parameter.value().copyFrom(same.value());
        } else if (expert.matches()) {
            float[] weights = parents.get(expert.group(1) + "DenseReluDense." + expert.group(2)).value().toFloats();
            if (lambda > 0) {
                perturb(weights, lambda, seed, stream);
            }
            parameter.value().upload(weights);
        } else {
            float[] router = new float[(int) parameter.value().count()];
            for (int i = 0; i < router.length; i++) {
                router[i] = (float) (MixtureFeedForward.ROUTER_DEVIATION * Philox.normal(seed, stream, ROUTER_STEP, i));
            }
            parameter.value().upload(router);
        }
    }

    private static void perturb(float[] weights, double lambda, long seed, int stream) {
        double width = lambda * deviation(weights);
        for (int i = 0; i < weights.length; i++) {
            weights[i] += (float) (width * (Philox.uniform(seed, stream, NOISE_STEP, i) - 0.5));
        }
    }

    /** The standard deviation with Bessel's correction, as torch.std has it. */
    static double deviation(float[] values) {
        double mean = 0;
        for (float value : values) {
            mean += value / (double) values.length;
        }
        double squares = 0;
        for (float value : values) {
            squares += (value - mean) * (value - mean);
        }
        return Math.sqrt(squares / Math.max(1, values.length - 1));
    }

    /** The largest difference between two models' logits on a batch, in evaluation: the receipt of an upcycling. */
    public static double largestLogitDifference(T5Model parent, T5Model child, T5Batch batch) {
        float[] expected = logits(parent, batch);
        float[] actual = logits(child, batch);
        double largest = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i] - actual[i]));
        }
        return largest;
    }

    private static float[] logits(T5Model model, T5Batch batch) {
        try (Scope scope = new Scope(model.device())) {
            return model.forward(Tape.inference(scope), batch).logits().toFloats();
        }
    }
}
