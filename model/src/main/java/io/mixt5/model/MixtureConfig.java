package io.mixt5.model;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.mixt5.engine.UserException;
import io.mixt5.engine.op.Route;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which feed-forward layers are mixtures of experts and how they route: the keys of {@code config.json} that MixT5 adds to
 * T5's, with MixT5's defaults. Fields are set while reading or building and not changed afterwards.
 */
public final class MixtureConfig {
    /** What a router explores with in training. */
    public enum Exploration {
        /** Nothing: the most probable expert. */
        ARGMAX,
        /** Draws the experts from the softmax. */
        SAMPLE_SOFTMAX,
        /** Dropout on the router's input. */
        INPUT_DROPOUT,
        /** Multiplies the router's input by U(1 - eps, 1 + eps), eps being {@code router_jitter_noise}. */
        INPUT_JITTER
    }

    /** Who sees the noisy input. */
    public enum Scope {
        /** The router alone. */
        ROUTER,
        /** The router and the experts. */
        LAYER
    }

    /** Whose tokens compete for an expert's places. */
    public enum Group {
        /** Those of a sequence. */
        SEQUENCE,
        /** Those of the batch. */
        BATCH
    }

    /** Whether there are mixtures at all. */
    public boolean activateMoe;
    /** E, experts of a layer. */
    public int numLocalExperts = 8;
    /** k, experts of a token, 1 to 8. */
    public int numExpertsPerTok = 2;
    /** MixT5's placement: blocks with at least this index, in the encoder and in the decoder, are mixtures. */
    public Integer numMoeLayers;
    /** Switch's placement, in place of {@code num_moe_layers}: blocks i with i mod step = 1 (every block for 1). */
    public Integer moeLayerStep;
    /** The blocks that are mixtures, in place of both. */
    public List<Integer> moeLayers;
    /** {@code raw}, {@code renormalized} or {@code preserving}; raw for one expert a token and renormalized for more when not given. */
    public Route.Gate routerGate;
    /** What to do about full experts in training. */
    public Route.Policy capacityPolicy = Route.Policy.DROPLESS;
    /** Places of an expert relative to an even share, in training. */
    public double capacityFactor = 1.25;
    /** What to do about full experts in evaluation. */
    public Route.Policy evalCapacityPolicy = Route.Policy.DROPLESS;
    /** Places of an expert relative to an even share, in evaluation. */
    public double evalCapacityFactor = 2;
    /** The fewest places of an expert. */
    public int minCapacity;
    /** Whose tokens compete. */
    public Group capacityGroup = Group.BATCH;
    /** How routers explore; when not given, by jitter where {@code router_jitter_noise} is above 0, else not. */
    public Exploration exploration;
    /** Who sees the noise. */
    public Scope explorationScope = Scope.ROUTER;
    /** eps of {@link Exploration#INPUT_JITTER}, in [0, 1); 0.01 where that is chosen and this not given. */
    public Double routerJitterNoise;
    /** Dropout inside experts; the model's own when not given. Switch: 0.4. */
    public Double expertDropoutRate;
    /** alpha of the balance loss. Switch: 0.01. */
    public double routerAuxLossCoef;
    /** beta of the z-loss. */
    @JsonProperty("router_z_loss_coef")
    public double routerZLossCoef;
    /** Whether routing statistics are kept with a pass's output. */
    public boolean outputRouterLogits;

    /** Throws a {@link UserException} that names {@code where} and the key when a value cannot be. */
    public void check(String where) {
        require(numLocalExperts >= 1, where, "num_local_experts", "at least 1", numLocalExperts);
        require(numExpertsPerTok >= 1 && numExpertsPerTok <= Math.min(8, numLocalExperts), where, "num_experts_per_tok",
                "from 1 to 8 and at most num_local_experts", numExpertsPerTok);
        require(jitter() >= 0 && jitter() < 1, where, "router_jitter_noise", "at least 0 and below 1",
                routerJitterNoise);
        require(moeLayerStep == null || moeLayerStep >= 1, where, "moe_layer_step", "at least 1", moeLayerStep);
        require(expertDropoutRate == null || expertDropoutRate >= 0 && expertDropoutRate < 1, where,
                "expert_dropout_rate",
                "at least 0 and below 1", expertDropoutRate);
        require(numMoeLayers != null || moeLayerStep != null || moeLayers != null, where, "num_moe_layers",
                "given (or moe_layer_step or moe_layers) where activate_moe is true", numMoeLayers);
        try {
            spec(true, null, null);
            spec(false, null, null);
        } catch (UserException e) {
            throw new UserException(where + ": " + e.getMessage(), e);
        }
    }

    private static void require(boolean holds, String where, String key, String range, Object found) {
        if (!holds) {
            throw new UserException(where + ": " + key + " must be " + range + ", found " + found);
        }
    }

    /** Whether block {@code index} of a stack is a mixture. */
    public boolean isMixture(int index) {
        if (!activateMoe) {
            return false;
        }
        if (moeLayers != null) {
            return moeLayers.contains(index);
        }
        return moeLayerStep != null ? index % moeLayerStep == 1 % moeLayerStep : index >= numMoeLayers;
    }

    /** How many of {@code blocks} blocks are mixtures. */
    public int mixtures(int blocks) {
        return (int) IntStream.range(0, blocks).filter(this::isMixture).count();
    }

    /** The gate, its default resolved. */
    @JsonIgnore
    public Route.Gate gate() {
        if (routerGate != null) {
            return routerGate;
        }
        return numExpertsPerTok == 1 ? Route.Gate.RAW : Route.Gate.RENORMALIZED;
    }

    /** The exploration, its default resolved. */
    @JsonIgnore
    public Exploration explores() {
        if (exploration != null) {
            return exploration;
        }
        return routerJitterNoise != null && routerJitterNoise > 0 ? Exploration.INPUT_JITTER : Exploration.ARGMAX;
    }

    /** eps of the jitter, its default resolved. */
    @JsonIgnore
    public double jitter() {
        return routerJitterNoise != null ? routerJitterNoise : 0.01;
    }

    /** How to route a batch of sequences of these lengths (null: of unknown ones, as when generating). */
    Route.Spec spec(boolean training, int[] lengths, io.mixt5.engine.RandomStream sampling) {
        int[] groups = capacityGroup == Group.SEQUENCE ? lengths : null;
        return new Route.Spec(numExpertsPerTok, gate(), training ? capacityPolicy : evalCapacityPolicy,
                training ? capacityFactor : evalCapacityFactor, minCapacity, groups, sampling);
    }
}
