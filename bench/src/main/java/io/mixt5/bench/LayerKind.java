package io.mixt5.bench;

import io.mixt5.engine.UserException;
import io.mixt5.engine.op.Route;
import io.mixt5.model.MixtureConfig;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A feed-forward layer as parameters name it: {@code dense}, {@code dense x2} (twice as wide),
 * {@code top-2 of 8 capacity 1.25 skewed}.
 *
 * @param products how many times the products of the dense layer each token takes; k for a mixture
 * @param experts of a mixture; 0 for a dense layer
 * @param capacity the capacity factor; 0 where no token is dropped
 * @param skewed whether about half of all tokens choose the first expert
 */
record LayerKind(int products, int experts, double capacity, boolean skewed) {
    private static final Pattern DENSE = Pattern.compile("dense(?: x(\\d))?");
    private static final Pattern MIXTURE = Pattern
            .compile("top-(\\d) of (\\d{1,4})(?: capacity (\\d+(?:\\.\\d+)?))?( skewed)?");

    /**
     * The kind of that name.
     *
     * @throws UserException when it is none
     */
    static LayerKind parse(String name) {
        Matcher dense = DENSE.matcher(name);
        if (dense.matches()) {
            return new LayerKind(dense.group(1) == null ? 1 : Integer.parseInt(dense.group(1)), 0, 0, false);
        }
        Matcher mixture = MIXTURE.matcher(name);
        if (mixture.matches()) {
            return new LayerKind(Integer.parseInt(mixture.group(1)), Integer.parseInt(mixture.group(2)),
                    mixture.group(3) == null ? 0 : Double.parseDouble(mixture.group(3)), mixture.group(4) != null);
        }
        throw new UserException("There is no layer '" + name
                + "'; write 'dense', 'dense x2' or 'top-1 of 8', which 'capacity 1.25' and 'skewed' may follow.");
    }

    /** Whether it is a mixture of experts. */
    boolean mixture() {
        return experts > 0;
    }

    /** What a model's configuration says of such mixtures. */
    MixtureConfig config() {
        MixtureConfig config = new MixtureConfig();
        config.activateMoe = true;
        config.numMoeLayers = 0;
        config.numLocalExperts = experts;
        config.numExpertsPerTok = products;
        if (capacity > 0) {
            config.capacityPolicy = Route.Policy.CAPACITY;
            config.capacityFactor = capacity;
        }
        return config;
    }
}
