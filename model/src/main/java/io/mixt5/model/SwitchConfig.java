package io.mixt5.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.UserException;
import io.mixt5.engine.op.Route;
import io.mixt5.model.io.StrictJson;
import io.mixt5.model.io.StrictJson.UnknownKeys;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * The keys and defaults of Hugging Face's {@code config.json} for SwitchTransformers, and what they mean here: one
 * expert a token with the raw gate, ReLU, block i of a stack a mixture where i mod step = 1.
 *
 * <p>As transformers computes: an expert has {@code expert_capacity} places in each sequence, in evaluation too; the
 * decoder's output is scaled where the embedding is tied. Otherwise than transformers: the jitter reaches the router
 * alone, where there, in fp32, it reaches the experts too; and the router's losses are means over the layers, each by
 * itself, and over the tokens that are not padding, where there all layers of a stack are pooled and only added on
 * request.
 */
final class SwitchConfig {
    /** {@code model_type} of such a configuration. */
    static final String MODEL_TYPE = "switch_transformers";
    /** An {@code expert_capacity} that nothing reaches, for routing without drops. */
    private static final int UNLIMITED = Integer.MAX_VALUE;
    /** A share of the tokens so small that the fewest places of an expert are all it has. */
    private static final double NO_SHARE = 1e-9;

    public List<String> architectures = List.of("SwitchTransformersForConditionalGeneration");
    public String modelType = MODEL_TYPE;
    public int vocabSize = 32128;
    public int dModel = 768;
    public int dKv = 64;
    public int dFf = 2048;
    public int numLayers = 12;
    public Integer numDecoderLayers = 12;
    public int numHeads = 12;
    public int numExperts = 8;
    public int expertCapacity = 64;
    public int numSparseEncoderLayers = 3;
    public int numSparseDecoderLayers = 3;
    public Integer encoderSparseStep;
    public Integer decoderSparseStep;
    public boolean routerBias;
    public String routerDtype = "float32";
    public double routerJitterNoise = 0.01;
    public double routerAuxLossCoef = 0.001;
    @JsonProperty("router_z_loss_coef")
    public double routerZLossCoef = 0.001;
    public int relativeAttentionNumBuckets = 32;
    public int relativeAttentionMaxDistance = 128;
    public double dropoutRate = 0.1;
    public double layerNormEpsilon = 1e-6;
    public double initializerFactor = 1.0;
    public String denseActFn = "relu";
    public String feedForwardProj = "relu";
    public boolean isEncoderDecoder = true;
    public boolean tieWordEmbeddings = true;
    public int padTokenId;
    public int eosTokenId = 1;
    public int decoderStartTokenId;
    public String dtype = "float32";

    /** The shape that a Switch configuration describes. */
    static T5Config read(ObjectNode json, Path file) {
        return StrictJson.bind(json, SwitchConfig.class, file, UnknownKeys.IGNORE).toT5(file.toString());
    }

    private T5Config toT5(String where) {
        require(denseActFn.equals("relu") && feedForwardProj.equals("relu"), where,
                "its feed-forward layers are not ReLU's, but SwitchTransformers have no others");
        require(!routerBias, where, "router_bias is true, but routers here have no bias");
        require(routerDtype.equals("float32"), where, "router_dtype is " + routerDtype
                + ", but routers here compute in float32; write that to have this one do so");
        require(expertCapacity >= 1, where, "expert_capacity must be at least 1, found " + expertCapacity);
        T5Config config = new T5Config();
        config.vocabSize = vocabSize;
        config.dModel = dModel;
        config.dKv = dKv;
        config.dFf = dFf;
        config.numLayers = numLayers;
        config.numDecoderLayers = numDecoderLayers;
        config.numHeads = numHeads;
        config.relativeAttentionNumBuckets = relativeAttentionNumBuckets;
        config.relativeAttentionMaxDistance = relativeAttentionMaxDistance;
        config.dropoutRate = dropoutRate;
        config.layerNormEpsilon = layerNormEpsilon;
        config.initializerFactor = initializerFactor;
        config.tieWordEmbeddings = tieWordEmbeddings;
        config.padTokenId = padTokenId;
        config.eosTokenId = eosTokenId;
        config.decoderStartTokenId = decoderStartTokenId;
        config.check(where);
        T5Config complete = config.with(mixture(config.decoderLayers(), where));
        complete.check(where);
        return complete;
    }

    private MixtureConfig mixture(int decoderLayers, String where) {
        int encoderStep = step(encoderSparseStep, numLayers, numSparseEncoderLayers);
        int decoderStep = step(decoderSparseStep, decoderLayers, numSparseDecoderLayers);
        MixtureConfig mixture = new MixtureConfig();
        if (encoderStep == decoderStep && encoderStep > 0) {
            mixture.moeLayerStep = encoderStep;
        } else {
            mixture.moeLayers = IntStream.range(0, Math.max(numLayers, decoderLayers))
                    .filter(i -> i < numLayers && sparse(i, encoderStep) || i < decoderLayers && sparse(i, decoderStep))
                    .boxed().toList();
            require(IntStream.range(0, Math.min(numLayers, decoderLayers))
                    .allMatch(i -> sparse(i, encoderStep) == sparse(i, decoderStep)), where,
                    "the encoder's mixtures are in other blocks than the decoder's (encoder_sparse_step " + encoderStep
                            + ", decoder_sparse_step " + decoderStep + "), which is not built");
        }
        mixture.activateMoe = mixture.moeLayers == null || !mixture.moeLayers.isEmpty();
        mixture.numLocalExperts = numExperts;
        mixture.numExpertsPerTok = 1;
        mixture.routerGate = Route.Gate.RAW;
        if (expertCapacity != UNLIMITED) {
            mixture.capacityPolicy = Route.Policy.CAPACITY;
            mixture.evalCapacityPolicy = Route.Policy.CAPACITY;
            mixture.capacityGroup = MixtureConfig.Group.SEQUENCE;
            mixture.capacityFactor = NO_SHARE;
            mixture.evalCapacityFactor = NO_SHARE;
            mixture.minCapacity = expertCapacity;
        }
        mixture.routerJitterNoise = routerJitterNoise;
        mixture.routerAuxLossCoef = routerAuxLossCoef;
        mixture.routerZLossCoef = routerZLossCoef;
        return mixture;
    }

    /** The step between a stack's mixtures: as written or else, as transformers computes it, from their number. */
    private static int step(Integer written, int layers, int mixtures) {
        return written != null ? written : layers / Math.max(1, mixtures);
    }

    /** Whether transformers makes block {@code index} a mixture. A step of 0 means none. */
    private static boolean sparse(int index, int step) {
        return step > 0 && index % step == 1 % step;
    }

    /**
     * The Switch configuration of a shape. What only training reads and Switch has no key for (exploration other than
     * jitter, capacity in training, dropout in experts) is left out.
     *
     * @throws UserException when such a model computes what SwitchTransformers cannot
     */
    static SwitchConfig of(T5Config model) {
        String where = "the model cannot be written as SwitchTransformers";
        MixtureConfig mixture = model.mixture();
        require(mixture.activateMoe, where, "it has no mixtures of experts; write it as T5");
        require(mixture.numExpertsPerTok == 1, where,
                "its tokens have " + mixture.numExpertsPerTok + " experts each, those of Switch have one");
        require(mixture.gate() == Route.Gate.RAW, where, "its gate is " + mixture.gate().name().toLowerCase(Locale.ROOT)
                + ", that of Switch is raw");
        require(!model.gated(), where, "its feed-forward layers are gated-gelu's, those of Switch relu's");
        require(model.outputScale() != 1 == model.tieWordEmbeddings, where, "Switch scales the decoder's output where "
                + "the embedding is tied and only there, and this model does otherwise");
        SwitchConfig config = new SwitchConfig();
        config.vocabSize = model.vocabSize;
        config.dModel = model.dModel;
        config.dKv = model.dKv;
        config.dFf = model.dFf;
        config.numLayers = model.numLayers;
        config.numDecoderLayers = model.decoderLayers();
        config.numHeads = model.numHeads;
        config.relativeAttentionNumBuckets = model.relativeAttentionNumBuckets;
        config.relativeAttentionMaxDistance = model.relativeAttentionMaxDistance;
        config.dropoutRate = model.dropoutRate;
        config.layerNormEpsilon = model.layerNormEpsilon;
        config.initializerFactor = model.initializerFactor;
        config.tieWordEmbeddings = model.tieWordEmbeddings;
        config.padTokenId = model.padTokenId;
        config.eosTokenId = model.eosTokenId;
        config.decoderStartTokenId = model.decoderStartTokenId;
        config.numExperts = mixture.numLocalExperts;
        config.expertCapacity = capacity(mixture, where);
        config.numSparseEncoderLayers = mixture.mixtures(model.numLayers);
        config.numSparseDecoderLayers = mixture.mixtures(model.decoderLayers());
        config.encoderSparseStep = step(mixture, model.numLayers, where);
        config.decoderSparseStep = step(mixture, model.decoderLayers(), where);
        config.routerJitterNoise = mixture.explores() == MixtureConfig.Exploration.INPUT_JITTER ? mixture.jitter() : 0;
        config.routerAuxLossCoef = mixture.routerAuxLossCoef;
        config.routerZLossCoef = mixture.routerZLossCoef;
        return config;
    }

    private static int capacity(MixtureConfig mixture, String where) {
        if (mixture.evalCapacityPolicy == Route.Policy.DROPLESS) {
            return UNLIMITED;
        }
        require(mixture.evalCapacityPolicy == Route.Policy.CAPACITY && mixture.evalCapacityFactor <= NO_SHARE
                && mixture.capacityGroup == MixtureConfig.Group.SEQUENCE && mixture.minCapacity >= 1, where,
                "its experts' places depend on the number of tokens, those of Switch are a fixed number; set "
                        + "eval_capacity_policy to dropless");
        return mixture.minCapacity;
    }

    private static int step(MixtureConfig mixture, int layers, String where) {
        return IntStream.rangeClosed(0, layers)
                .filter(step -> IntStream.range(0, layers).allMatch(i -> sparse(i, step) == mixture.isMixture(i)))
                .findFirst().orElseThrow(() -> new UserException(
                        where + ": its mixtures are not every n-th block from the second on, as those of Switch are"));
    }

    private static void require(boolean holds, String where, String message) {
        if (!holds) {
            throw new UserException(where + ": " + message);
        }
    }
}
