package io.mixt5.model;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.DType;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.UserException;
import io.mixt5.model.io.SafetensorsType;
import io.mixt5.model.io.ShardedWriter;
import io.mixt5.model.io.StrictJson;
import io.mixt5.model.io.WritableTensor;
import io.mixt5.model.io.UserFiles;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes models as Hugging Face directories: {@code config.json}, {@code generation_config.json} and the weights, which
 * go to the disk one tensor at a time, in the order of the model's parameters.
 */
final class CheckpointWriter {
    private CheckpointWriter() {
    }

    /** Writes {@code model} into {@code directory}, which is made if need be. */
    static void write(T5Model model, Path directory, SaveOptions options) {
        ObjectNode config = switch (options.naming()) {
            case MIXT5 -> configJson(model.config());
            case SWITCH_TRANSFORMERS -> StrictJson.toTree(SwitchConfig.of(model.config()));
        };
        config.put("dtype", switch (options.type()) {
            case F16 -> "float16";
            case BF16 -> "bfloat16";
            default -> "float32";
        });
        UserFiles.requireWritableDirectory(directory);
        ShardedWriter.write(directory, tensors(model, options), options.maxShardBytes());
        StrictJson.write(directory.resolve("config.json"), config);
        StrictJson.write(directory.resolve("generation_config.json"), generationJson(model.config()));
    }

    private static List<WritableTensor> tensors(T5Model model, SaveOptions options) {
        List<WritableTensor> tensors = new ArrayList<>();
        for (Parameter parameter : model.parameters().all()) {
            tensors.add(source(options.naming().onDisk(parameter.name()), parameter.value(), options.type()));
        }
        if (options.naming() == CheckpointNaming.SWITCH_TRANSFORMERS && !model.config().tieWordEmbeddings) {
            // transformers ties the embeddings either all or, as with a head of its own, none.
            Tensor embedding = model.parameters().get(CheckpointNaming.EMBEDDING).value();
            CheckpointNaming.STACK_EMBEDDINGS.forEach(name -> tensors.add(source(name, embedding, options.type())));
        }
        return tensors;
    }

    private static WritableTensor source(String name, Tensor value, DType type) {
        return switch (type) {
            case F16 -> new WritableTensor(name, SafetensorsType.F16, value.shape().dims(),
                    arena -> halves(name, value, type, arena));
            case BF16 -> new WritableTensor(name, SafetensorsType.BF16, value.shape().dims(),
                    arena -> halves(name, value, type, arena));
            default -> new WritableTensor(name, SafetensorsType.F32, value.shape().dims(), value::toHost);
        };
    }

    private static MemorySegment halves(String name, Tensor value, DType type, Arena arena) {
        MemorySegment floats = value.toHost(arena);
        MemorySegment halves = arena.allocate(value.count() * type.bytes(), Long.BYTES);
        for (long i = 0; i < value.count(); i++) {
            float weight = floats.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            short half = type == DType.BF16 ? DType.floatToBf16(weight) : Float.floatToFloat16(weight);
            halves.setAtIndex(ValueLayout.JAVA_SHORT, i, half);
            if (type == DType.F16 && Float.isFinite(weight) && !Float.isFinite(Float.float16ToFloat(half))) {
                throw new UserException("tensor " + name + " holds " + weight
                        + ", beyond float16's range of 65504; write it as bfloat16 or float32");
            }
        }
        return halves;
    }

    private static ObjectNode configJson(T5Config c) {
        boolean mixture = c.mixture().activateMoe;
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.putArray("architectures").add(mixture ? "MixT5ForConditionalGeneration" : "T5ForConditionalGeneration");
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
        json.put("decoder_start_token_id", c.decoderStartTokenId);
        if (mixture) {
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
