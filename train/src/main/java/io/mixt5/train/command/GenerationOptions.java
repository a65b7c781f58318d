package io.mixt5.train.command;

import io.mixt5.model.GenerationConfig;
import io.mixt5.model.GenerationConfig.EarlyStopping;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** How answers are written: what is given here goes before the model's {@code generation_config.json}. */
final class GenerationOptions {
    private static final int MAX_LENGTH = 30;

    @Option(names = "--generation-max-length", paramLabel = "N",
            description = "Most tokens of an answer, the start token counted; default: the model's own, else "
                    + MAX_LENGTH + ".")
    private Integer maxLength;

    @Option(names = "--max-new-tokens", paramLabel = "N",
            description = "Most tokens of an answer, the start token not counted.")
    private Integer maxNewTokens;

    @Option(names = "--min-new-tokens", paramLabel = "N", description = "Tokens before which no answer ends.")
    private Integer minNewTokens;

    @Option(names = "--num-beams", paramLabel = "N", description = "Beams to search with; 1 writes greedily.")
    private Integer numBeams;

    @Option(names = "--length-penalty", paramLabel = "X",
            description = "A beam's score is divided by its length to the power of this.")
    private Double lengthPenalty;

    @Option(names = "--early-stopping", paramLabel = "WHEN",
            description = "When a beam search ends: ${COMPLETION-CANDIDATES}.")
    private EarlyStopping earlyStopping;

    @Option(names = "--no-repeat-ngram-size", paramLabel = "N",
            description = "Length of the runs of tokens of which no answer holds one twice.")
    private Integer noRepeatNgramSize;

    @Option(names = "--do-sample", description = "Draws tokens, rather than taking the most probable.")
    private boolean doSample;

    @Option(names = "--temperature", paramLabel = "X", description = "Divides the logits before drawing.")
    private Double temperature;

    @Option(names = "--top-k", paramLabel = "N", description = "Draws from so many most probable tokens; 0 for all.")
    private Integer topK;

    @Option(names = "--top-p", paramLabel = "X",
            description = "Draws from the most probable tokens that reach this probability together.")
    private Double topP;

    @Option(names = "--seed", paramLabel = "N", description = "What draws depend on.")
    private Long seed;

    /** The configuration of a model's directory with these options over it; checked. */
    GenerationConfig over(Path model) {
        GenerationConfig config = GenerationConfig.read(model);
        if (maxLength != null) {
            config.maxLength = maxLength;
            config.maxNewTokens = null;
        }
        config.maxNewTokens = or(maxNewTokens, config.maxNewTokens);
        if (config.maxNewTokens == null && config.maxLength == null) {
            config.maxLength = MAX_LENGTH;
        }
        config.minNewTokens = or(minNewTokens, config.minNewTokens);
        config.numBeams = or(numBeams, config.numBeams);
        config.lengthPenalty = or(lengthPenalty, config.lengthPenalty);
        config.earlyStopping = or(earlyStopping, config.earlyStopping);
        config.noRepeatNgramSize = or(noRepeatNgramSize, config.noRepeatNgramSize);
        config.doSample |= doSample;
        config.temperature = or(temperature, config.temperature);
        config.topK = or(topK, config.topK);
        config.topP = or(topP, config.topP);
        config.seed = or(seed, config.seed);
        config.check("the options of generation, with the model's generation_config.json");
        return config;
    }

    private static <T> T or(T given, T otherwise) {
        return given == null ? otherwise : given;
    }
}
