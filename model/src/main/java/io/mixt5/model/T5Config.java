package io.mixt5.model;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.UserException;
import io.mixt5.engine.op.RelativePosition;
import io.mixt5.model.io.StrictJson;
import io.mixt5.model.io.StrictJson.UnknownKeys;
import java.nio.file.Path;
import java.util.Objects;

/**
 * The shape of a T5, with the keys and defaults of Hugging Face's {@code config.json} for T5. Fields are set while reading or
 * building and not changed afterwards.
 */
public final class T5Config {
    /** Blocks of a stack at most; the deepest published T5 has 24. */
    private static final int MAX_LAYERS = 10_000;

    /** V, rows of the embedding; may exceed the tokenizer's size. */
    public int vocabSize = 32128;
    /** D, width of the residual stream. */
    public int dModel = 512;
    /** K, width of one attention head. */
    public int dKv = 64;
    /** F, width of the feed-forward layer. */
    public int dFf = 2048;
    /** Blocks of the encoder. */
    public int numLayers = 6;
    /** Blocks of the decoder; as many as the encoder's when not given. */
    public Integer numDecoderLayers;
    /** H, attention heads. */
    public int numHeads = 8;
    /** Buckets of the relative position bias. */
    public int relativeAttentionNumBuckets = 32;
    /** Distance beyond which all positions share a bucket. */
    public int relativeAttentionMaxDistance = 128;
    /** Dropout in training, in [0, 1). */
    public double dropoutRate = 0.1;
    /** Added to the mean square in norms. */
    public double layerNormEpsilon = 1e-6;
    /** Scale of the random initialisation. */
    public double initializerFactor = 1.0;
    /** {@code relu} (v1.0) or {@code gated-gelu} (v1.1). */
    public String feedForwardProj = "relu";
    /** Whether the embedding serves as the output projection (v1.0). */
    public boolean tieWordEmbeddings = true;
    /** Whether the decoder's output is scaled by D^-0.5 before the projection; when not given, where that is tied. */
    public Boolean scaleDecoderOutputs;
    /** Id of padding. */
    public int padTokenId;
    /** Id that ends a text. */
    public int eosTokenId = 1;
    /** Id that the decoder starts with. */
    public int decoderStartTokenId;
    /** Always {@code t5}. */
    public String modelType = "t5";

    private MixtureConfig mixture = new MixtureConfig();

    /** T5 v1.1 in a published size: {@code small} or {@code base}; or {@code tiny}, 128 wide with 2 + 2 blocks. */
    public static T5Config preset(String name) {
        Objects.requireNonNull(name, "name");
        return switch (name) {
            case "tiny" -> v11(128, 32, 4, 256, 2);
            case "small" -> v11(512, 64, 6, 1024, 8);
            case "base" -> v11(768, 64, 12, 2048, 12);
            default -> throw new UserException(
                    "there is no model size '" + name + "'; choose tiny, small or base, or give the "
                            + "sizes one by one");
        };
    }

    private static T5Config v11(int dModel, int dKv, int heads, int dFf, int layers) {
        T5Config config = new T5Config();
        config.dModel = dModel;
        config.dKv = dKv;
        config.numHeads = heads;
        config.dFf = dFf;
        config.numLayers = layers;
        config.feedForwardProj = "gated-gelu";
        config.tieWordEmbeddings = false;
        return config;
    }

    /**
     * Reads a Hugging Face {@code config.json}, of T5 or of SwitchTransformers; keys that do not concern the shape are
     * passed over.
     */
    public static T5Config read(Path file) {
        Objects.requireNonNull(file, "file");
        return of(StrictJson.readObject(file), file);
    }

    /** The configuration that a JSON object describes; {@code file} is where it comes from. */
    public static T5Config of(ObjectNode json, Path file) {
        if (json.path("model_type").asText().equals(SwitchConfig.MODEL_TYPE)) {
            return SwitchConfig.read(json, file);
        }
        T5Config config = StrictJson.bind(json, T5Config.class, file, UnknownKeys.IGNORE);
        config.mixture = StrictJson.bind(json, MixtureConfig.class, file, UnknownKeys.IGNORE);
        config.check(file.toString());
        return config;
    }

    /** Throws a {@link UserException} that names {@code where} and the key when a value cannot be. */
    public void check(String where) {
        positive(where, "vocab_size", vocabSize);
        positive(where, "d_model", dModel);
        positive(where, "d_kv", dKv);
        positive(where, "d_ff", dFf);
        positive(where, "num_layers", numLayers);
        positive(where, "num_decoder_layers", decoderLayers());
        positive(where, "num_heads", numHeads);
        if (Math.max(numLayers, decoderLayers()) > MAX_LAYERS) {
            throw new UserException(where + ": it has " + Math.max(numLayers, decoderLayers())
                    + " blocks, but a stack may have at most " + MAX_LAYERS);
        }
        if ((long) numHeads * dKv > Integer.MAX_VALUE) {
            throw new UserException(where + ": num_heads times d_kv is " + (long) numHeads * dKv
                    + ", but it must be below 2^31");
        }
        positive(where, "relative_attention_num_buckets", relativeAttentionNumBuckets / 4);
        // The decoder decides: the encoder, which splits its buckets over both sides, has half as many exact ones.
        if (!RelativePosition.fits(false, relativeAttentionNumBuckets, relativeAttentionMaxDistance)) {
            throw new UserException(where + ": relative_attention_max_distance is " + relativeAttentionMaxDistance
                    + ", but it must be greater than half of relative_attention_num_buckets, "
                    + relativeAttentionNumBuckets / 2 + ", as smaller distances have a bucket each");
        }
        if (!(dropoutRate >= 0 && dropoutRate < 1)) {
            throw new UserException(
                    where + ": dropout_rate is " + dropoutRate + ", but it must be at least 0 and below 1");
        }
        if (!feedForwardProj.equals("relu") && !feedForwardProj.equals("gated-gelu")) {
            throw new UserException(where + ": feed_forward_proj is '" + feedForwardProj
                    + "', but only relu (T5 v1.0) and gated-gelu (T5 v1.1) are built");
        }
        if (!modelType.equals("t5")) {
            throw new UserException(where + ": model_type is '" + modelType
                    + "', but this reads t5 and switch_transformers models only");
        }
        if (mixture.activateMoe) {
            mixture.check(where);
        }
        for (int id : new int[]{padTokenId, eosTokenId, decoderStartTokenId}) {
            if (id < 0 || id >= vocabSize) {
                throw new UserException(
                        where + ": the special token id " + id + " lies outside the vocabulary of " + vocabSize);
            }
        }
    }

    private static void positive(String where, String key, int value) {
        if (value < 1) {
            throw new UserException(where + ": " + key + " is too small; give a larger number");
        }
    }

    /** Which feed-forward layers are mixtures of experts; never null. */
    @JsonIgnore
    public MixtureConfig mixture() {
        return mixture;
    }

    /** This shape with other mixtures. */
    public T5Config with(MixtureConfig other) {
        Objects.requireNonNull(other, "other");
        T5Config copy = of(StrictJson.toTree(this), Path.of("the parent's configuration"));
        copy.mixture = other;
        return copy;
    }

    /** Blocks of the decoder. */
    @JsonIgnore
    public int decoderLayers() {
        return numDecoderLayers == null ? numLayers : numDecoderLayers;
    }

    /** H * K, the width of queries, keys and values. */
    @JsonIgnore
    public int innerWidth() {
        return numHeads * dKv;
    }

    /** Whether the feed-forward layer is v1.1's. */
    @JsonIgnore
    public boolean gated() {
        return feedForwardProj.equals("gated-gelu");
    }

    /** What the decoder's output is multiplied by before the projection. */
    @JsonIgnore
    public float outputScale() {
        boolean scaled = scaleDecoderOutputs == null ? tieWordEmbeddings : scaleDecoderOutputs;
        return scaled ? (float) Math.pow(dModel, -0.5) : 1;
    }
}
