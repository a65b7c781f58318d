package io.mixt5.model;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.Tensor;
import io.mixt5.model.io.SafetensorsTensor;
import io.mixt5.model.io.SafetensorsType;
import io.mixt5.model.io.SafetensorsWriter;
import io.mixt5.model.io.StrictJson;
import io.mixt5.model.io.UserFiles;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Writes models as Hugging Face directories: {@code config.json} and {@code model.safetensors}. {@link CheckpointReader} reads. */
final class Checkpoint {
    static final String CONFIG = "config.json";
    private static final String WEIGHTS = "model.safetensors";
    static final String EMBEDDING = "shared.weight";
    /** Names under which some checkpoints repeat the shared embedding. */
    static final List<String> COPIES = List.of("decoder.embed_tokens.weight", "encoder.embed_tokens.weight");

    private Checkpoint() {
    }

    static void save(T5Model model, Path directory, CheckpointNaming naming) {
        ObjectNode config = switch (naming) {
            case MIXT5 -> configJson(model.config());
            case SWITCH_TRANSFORMERS -> StrictJson.toTree(SwitchConfig.of(model.config()));
        };
        UserFiles.requireWritableDirectory(directory);
        try (Arena arena = Arena.ofConfined()) {
            List<SafetensorsTensor> tensors = new ArrayList<>();
            for (Parameter parameter : model.parameters().all()) {
                Tensor value = parameter.value();
                tensors.add(new SafetensorsTensor(naming.onDisk(parameter.name()), SafetensorsType.F32,
                        value.shape().dims(), value.toHost(arena)));
            }
            if (naming == CheckpointNaming.SWITCH_TRANSFORMERS && !model.config().tieWordEmbeddings) {
                // transformers ties the embeddings either all or, as with a head of its own, none.
                Tensor embedding = model.parameters().get(EMBEDDING).value();
                COPIES.forEach(copy -> tensors.add(new SafetensorsTensor(copy, SafetensorsType.F32,
                        embedding.shape().dims(), embedding.toHost(arena))));
            }
            SafetensorsWriter.write(directory.resolve(WEIGHTS), tensors);
        }
        StrictJson.write(directory.resolve(CONFIG), config);
        StrictJson.write(directory.resolve("generation_config.json"), generationJson(model.config()));
    }

    private static ObjectNode configJson(T5Config c) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.putArray("architectures").add("T5ForConditionalGeneration");
        json.put("model_type", "t5").put("vocab_size", c.vocabSize).put("d_model", c.dModel).put("d_kv", c.dKv)
                .put("d_ff", c.dFf);
        json.put("num_layers", c.numLayers).put("num_decoder_layers", c.decoderLayers()).put("num_heads", c.numHeads);
        json.put("relative_attention_num_buckets", c.relativeAttentionNumBuckets);
        json.put("relative_attention_max_distance", c.relativeAttentionMaxDistance);
        json.put("dropout_rate", c.dropoutRate).put("layer_norm_epsilon", c.layerNormEpsilon);
        json.put("initializer_factor", c.initializerFactor).put("feed_forward_proj", c.feedForwardProj);
        json.put("is_encoder_decoder", true).put("tie_word_embeddings", c.tieWordEmbeddings);
        json.put("scale_decoder_outputs", c.outputScale() != 1);
        json.put("pad_token_id", c.padTokenId).put("eos_token_id", c.eosTokenId);
        json.put("decoder_start_token_id", c.decoderStartTokenId).put("dtype", "float32");
        if (c.mixture().activateMoe) {
            json.setAll(StrictJson.toTree(c.mixture()));
        }
        return json;
    }

    private static ObjectNode generationJson(T5Config c) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("decoder_start_token_id", c.decoderStartTokenId).put("eos_token_id", c.eosTokenId).put("pad_token_id",
                c.padTokenId);
        return json;
    }
}
