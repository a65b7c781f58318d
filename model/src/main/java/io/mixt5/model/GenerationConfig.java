package io.mixt5.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.UserException;
import io.mixt5.model.io.StrictJson;
import io.mixt5.model.io.StrictJson.UnknownKeys;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * How a {@link Generator} writes, with the keys, the defaults and the meaning of Hugging Face's {@code GenerationConfig}:
 * greedily, by beam search where {@code num_beams} is more than 1, or by drawing where {@code do_sample} is true. The ids
 * that start and end an output are those of the model's {@link T5Config}.
 *
 * <p>Fields are set while reading or building and not changed afterwards.
 */
public final class GenerationConfig {
    private static final String FILE = "generation_config.json";
    private static final int DEFAULT_NEW_TOKENS = 20;
    /** What Hugging Face has and we do not: a file that asks for it would get other outputs. Each with its idle value. */
    private static final Map<String, String> NOT_BUILT = Map.ofEntries(Map.entry("repetition_penalty", "1.0"),
            Map.entry("encoder_repetition_penalty", "1.0"), Map.entry("encoder_no_repeat_ngram_size", "0"),
            Map.entry("diversity_penalty", "0.0"), Map.entry("num_beam_groups", "1"), Map.entry("typical_p", "1.0"),
            Map.entry("epsilon_cutoff", "0.0"), Map.entry("eta_cutoff", "0.0"), Map.entry("min_p", ""),
            Map.entry("top_h", ""), Map.entry("bad_words_ids", ""), Map.entry("force_words_ids", ""),
            Map.entry("forced_bos_token_id", ""), Map.entry("forced_eos_token_id", ""),
            Map.entry("suppress_tokens", ""), Map.entry("begin_suppress_tokens", ""),
            Map.entry("sequence_bias", ""), Map.entry("exponential_decay_length_penalty", ""),
            Map.entry("penalty_alpha", ""), Map.entry("renormalize_logits", "false"));

    /** When a beam search has enough finished outputs. */
    public enum EarlyStopping {
        /** When no running beam is likely to beat them, judged by the length that it has now. */
        FALSE,
        /** As soon as there are {@code num_beams}. */
        TRUE,
        /** When no running beam can beat them, whatever length it reaches. */
        NEVER;

        /** The value that is written {@code true}, {@code false} or {@code "never"}. */
        @JsonCreator
        static EarlyStopping of(JsonNode value) {
            return switch (value.asText()) {
                case "true" -> TRUE;
                case "false" -> FALSE;
                case "never" -> NEVER;
                default -> throw new IllegalArgumentException("early_stopping is true, false or \"never\"");
            };
        }
    }

    /** Most tokens of an output, the start token not counted; goes before {@code max_length}. 20 where neither is given. */
    public Integer maxNewTokens;
    /** Most tokens of an output, the start token counted, at least 2. */
    public Integer maxLength;
    /** Tokens before which no output ends, the start token not counted; goes before {@code min_length}. */
    public Integer minNewTokens;
    /** Tokens before which no output ends, the start token counted. */
    public int minLength;
    /** Outputs that a beam search follows at a time, at least 1; 1 is no beam search. */
    public int numBeams = 1;
    /** A beam's score is the sum of its tokens' log-probabilities over its length to the power of this. */
    public double lengthPenalty = 1;
    /** When a beam search ends. */
    public EarlyStopping earlyStopping = EarlyStopping.FALSE;
    /** Outputs of a source, at least 1: the best of a beam search, or so many that are drawn. */
    public int numReturnSequences = 1;
    /** Whether tokens are drawn rather than the most probable ones taken. */
    public boolean doSample;
    /** Logits are divided by it before drawing; above 0. */
    public double temperature = 1;
    /** Most probable tokens that are drawn from; 0 for all. */
    public int topK = 50;
    /** Only the most probable tokens whose probabilities together reach this are drawn from, in [0, 1]. */
    public double topP = 1;
    /** Length of the runs of tokens of which no output holds one twice; 0 allows all. */
    public int noRepeatNgramSize;
    /** What draws depend on, beside the source and the number of the output: ours, Hugging Face has no such key. */
    public long seed;

    /** Greedy, outputs of at most {@code maxLength} tokens, the start token counted. */
    public static GenerationConfig greedy(int maxLength) {
        GenerationConfig config = new GenerationConfig();
        config.maxLength = maxLength;
        return config;
    }

    /**
     * What {@code generation_config.json} of a model's directory says; the defaults where there is none. Keys that
     * do not concern what is written are passed over.
     *
     * @throws UserException when the file cannot be used, or asks for what is not built
     */
    public static GenerationConfig read(Path directory) {
        Path file = directory.resolve(FILE);
        if (!Files.exists(file)) {
            return new GenerationConfig();
        }
        ObjectNode json = StrictJson.readObject(file);
        NOT_BUILT.forEach((key, idle) -> {
            JsonNode value = json.path(key);
            if (!value.isMissingNode() && !value.isNull() && !value.asText().equals(idle)
                    && !(value.isNumber() && !idle.isEmpty() && value.asDouble() == Double.parseDouble(idle))) {
                throw new UserException(file + ": " + key + " is " + value
                        + ", but that is not built; remove the key to generate without it");
            }
        });
        GenerationConfig config = StrictJson.bind(json, GenerationConfig.class, file, UnknownKeys.IGNORE);
        config.check(file.toString());
        return config;
    }

    /** Throws a {@link UserException} that names {@code where} and the key when a value cannot be. */
    public void check(String where) {
        require(maxNewTokens == null || maxNewTokens >= 1, where, "max_new_tokens", "at least 1", maxNewTokens);
        require(maxNewTokens != null || maxLength == null || maxLength >= 2, where, "max_length",
                "at least 2, as it counts the start token", maxLength);
        require(minNewTokens == null || minNewTokens >= 0, where, "min_new_tokens", "at least 0", minNewTokens);
        require(minLength >= 0, where, "min_length", "at least 0", minLength);
        require(leastNewTokens() <= mostNewTokens(), where, minNewTokens == null ? "min_length" : "min_new_tokens",
                "no more than the most that is allowed, " + mostNewTokens() + " new tokens",
                minNewTokens == null ? minLength : minNewTokens);
        require(numBeams >= 1, where, "num_beams", "at least 1", numBeams);
        require(Double.isFinite(lengthPenalty), where, "length_penalty", "a number", lengthPenalty);
        require(numReturnSequences >= 1, where, "num_return_sequences", "at least 1", numReturnSequences);
        require(doSample || numReturnSequences <= numBeams, where, "num_return_sequences",
                "at most num_beams, " + numBeams + ", unless do_sample is true", numReturnSequences);
        require(!doSample || numBeams == 1, where, "num_beams", "1 where do_sample is true", numBeams);
        require(temperature > 0 && Double.isFinite(temperature), where, "temperature", "above 0", temperature);
        require(topK >= 0, where, "top_k", "at least 0", topK);
        require(topP >= 0 && topP <= 1, where, "top_p", "between 0 and 1", topP);
        require(noRepeatNgramSize >= 0, where, "no_repeat_ngram_size", "at least 0", noRepeatNgramSize);
    }

    private static void require(boolean holds, String where, String key, String range, Object found) {
        if (!holds) {
            throw new UserException(where + ": " + key + " must be " + range + ", found " + found);
        }
    }

    /** Most tokens that follow the start token. */
    int mostNewTokens() {
        if (maxNewTokens != null) {
            return maxNewTokens;
        }
        return maxLength == null ? DEFAULT_NEW_TOKENS : maxLength - 1;
    }

    /** Tokens that follow the start token before one may be the end token. */
    int leastNewTokens() {
        return minNewTokens != null ? minNewTokens : Math.max(0, minLength - 1);
    }

    /** Outputs that grow at a time for one source. */
    int rows() {
        return doSample ? numReturnSequences : numBeams;
    }
}
