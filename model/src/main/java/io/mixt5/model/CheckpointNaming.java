package io.mixt5.model;

import java.util.List;
import java.util.regex.Pattern;

/** Under which names a checkpoint holds its tensors; they differ in the feed-forward layers alone. */
public enum CheckpointNaming {
    /** This project's and MixT5's, which for a dense model are Hugging Face's for T5. */
    MIXT5 {
        @Override
        String onDisk(String parameter) {
            return parameter;
        }
    },
    /** Those of Hugging Face's SwitchTransformersForConditionalGeneration. */
    SWITCH_TRANSFORMERS {
        @Override
        String onDisk(String parameter) {
            String dense = parameter.replace(".DenseReluDense.", ".mlp.");
            String router = ROUTER.matcher(dense).replaceFirst("$1mlp.router.classifier.weight");
            return EXPERT.matcher(router).replaceFirst("$1mlp.experts.expert_$2.");
        }
    };

    /** Name of the embedding that encoder and decoder share. */
    static final String EMBEDDING = "shared.weight";
    /** Names under which some checkpoints repeat it. */
    static final List<String> STACK_EMBEDDINGS = List.of("decoder.embed_tokens.weight", "encoder.embed_tokens.weight");

    private static final Pattern ROUTER = Pattern.compile("(\\.layer\\.\\d+\\.)gate\\.weight$");
    private static final Pattern EXPERT = Pattern.compile("(\\.layer\\.\\d+\\.)experts\\.(\\d+)\\.");

    /** The name in a file of the parameter that {@link Parameters} call so; different for different parameters. */
    abstract String onDisk(String parameter);

    /** The naming of models with this {@code model_type} in their config.json. */
    static CheckpointNaming of(String modelType) {
        return modelType.equals(SwitchConfig.MODEL_TYPE) ? SWITCH_TRANSFORMERS : MIXT5;
    }
}
