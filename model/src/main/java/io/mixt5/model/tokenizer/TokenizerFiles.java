package io.mixt5.model.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.UserException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.TreeMap;

/**
 * What Hugging Face keeps beside {@code spiece.model}: how many sentinels there are and which tokens were added.
 *
 * <p>Read are {@code tokenizer_config.json} ({@code extra_ids}, {@code added_tokens_decoder},
 * {@code additional_special_tokens}, {@code extra_special_tokens}), {@code added_tokens.json} and
 * {@code special_tokens_map.json}, whichever are there; written is what transformers 4 and 5 both read.
 *
 * @param sentinels how many {@code <extra_id_n>} there are
 * @param special special tokens in the order in which they take new ids; pieces and sentinels may be among them
 * @param ids the ids that the files themselves give to tokens
 */
record TokenizerFiles(int sentinels, SequencedSet<String> special, Map<String, Integer> ids) {
    /** The name of the SentencePiece model's file in a directory. */
    static final String MODEL = "spiece.model";
    /** The name of the file in which transformers' fast tokenizers keep the same in a form of their own. */
    static final String FAST = "tokenizer.json";

    /** T5's own: 100 sentinels, nothing added. */
    static final TokenizerFiles DEFAULT = new TokenizerFiles(100, Collections.emptySortedSet(), Map.of());

    private static final String CONFIG = "tokenizer_config.json";
    private static final String SPECIAL_TOKENS = "special_tokens_map.json";
    private static final String ADDED_TOKENS = "added_tokens.json";
    private static final int MAX_SENTINELS = 10_000;
    private static final JsonMapper JSON = new JsonMapper();

    /** The name of sentinel {@code n}. */
    static String sentinel(int n) {
        return "<extra_id_" + n + ">";
    }

    /**
     * What the files in {@code directory} say.
     *
     * @throws UserException where one cannot be read or holds something else
     */
    static TokenizerFiles read(Path directory) {
        Path configFile = directory.resolve(CONFIG);
        JsonNode config = object(configFile);
        JsonNode sentinels = config.path("extra_ids");
        if (!sentinels.isMissingNode() && (!sentinels.isInt() || sentinels.intValue() < 0
                || sentinels.intValue() > MAX_SENTINELS)) {
            throw new UserException("extra_ids in " + configFile + " is " + sentinels + ", not a number from 0 to "
                    + MAX_SENTINELS + "; T5 has 100");
        }

        Map<Integer, String> byId = new TreeMap<>();
        for (Map.Entry<String, JsonNode> entry : config.path("added_tokens_decoder").properties()) {
            byId.put(id(entry.getKey(), configFile), text(entry.getValue(), configFile));
        }
        Path addedFile = directory.resolve(ADDED_TOKENS);
        for (Map.Entry<String, JsonNode> entry : object(addedFile).properties()) {
            byId.put(id(entry.getValue().asText(), addedFile), entry.getKey());
        }

        SequencedSet<String> special = new LinkedHashSet<>(byId.values());
        Path specialFile = directory.resolve(SPECIAL_TOKENS);
        addAll(special, config.path("additional_special_tokens"), configFile);
        addAll(special, config.path("extra_special_tokens"), configFile);
        addAll(special, object(specialFile).path("additional_special_tokens"), specialFile);

        Map<String, Integer> ids = new TreeMap<>();
        byId.forEach((id, token) -> ids.put(token, id));
        return new TokenizerFiles(sentinels.asInt(DEFAULT.sentinels), special, ids);
    }

    /**
     * Writes {@code spiece.model} and the files beside it into {@code directory}, which is made if need be.
     *
     * @param model the model's file
     * @param sentinels how many {@code <extra_id_n>} there are
     * @param special every special token and its id, in the order of the ids
     * @throws UserException where {@code directory} cannot be written
     */
    static void write(Path directory, byte[] model, int sentinels, SequencedMap<String, Integer> special) {
        ObjectNode names = JSON.createObjectNode();
        names.put("eos_token", T5Tokenizer.END);
        names.put("unk_token", T5Tokenizer.UNKNOWN);
        names.put("pad_token", T5Tokenizer.PAD);
        ArrayNode additional = names.putArray("additional_special_tokens");
        for (int n = 0; n < sentinels; n++) {
            additional.add(sentinel(n));
        }
        List<String> own = List.of(T5Tokenizer.END, T5Tokenizer.UNKNOWN, T5Tokenizer.PAD);
        special.keySet().stream()
                .filter(token -> !own.contains(token) && !token.matches("<extra_id_\\d+>"))
                .forEach(additional::add);

        ObjectNode config = JSON.createObjectNode();
        config.put("tokenizer_class", "T5Tokenizer");
        config.put("extra_ids", sentinels);
        config.setAll(names);
        ObjectNode decoder = config.putObject("added_tokens_decoder");
        special.forEach((token, id) -> decoder.putObject(id.toString())
                .put("content", token)
                .put("lstrip", false)
                .put("normalized", false)
                .put("rstrip", false)
                .put("single_word", false)
                .put("special", true));
        try {
            Files.createDirectories(directory);
            Files.write(directory.resolve(MODEL), model);
            Files.writeString(directory.resolve(CONFIG), config.toPrettyString() + "\n");
            Files.writeString(directory.resolve(SPECIAL_TOKENS), names.toPrettyString() + "\n");
        } catch (IOException e) {
            throw new UserException("The tokenizer cannot be written to " + directory + " (" + e
                    + "); name a directory that can be written", e);
        }
    }

    private static int id(String text, Path file) {
        if (!text.matches("\\d{1,9}")) {
            throw new UserException(file + " gives a token the id \"" + text + "\", which is not a whole number");
        }
        return Integer.parseInt(text);
    }

    private static void addAll(SequencedSet<String> tokens, JsonNode list, Path file) {
        for (JsonNode token : list) {
            tokens.add(text(token, file));
        }
    }

    /** A token's text, given as a string or as an object with its content. */
    private static String text(JsonNode token, Path file) {
        JsonNode text = token.isObject() ? token.path("content") : token;
        if (!text.isTextual() || text.textValue().isEmpty()) {
            throw new UserException(file + " holds " + token + " where the text of a special token should stand");
        }
        if (token.has("special") && !token.path("special").asBoolean()) {
            throw new UserException(
                    file + " adds the token " + text + " as one that is not special; only special ones can be added");
        }
        return text.textValue();
    }

    /** The object in {@code file}, an empty one where there is no such file. */
    private static JsonNode object(Path file) {
        if (!Files.exists(file)) {
            return JSON.createObjectNode();
        }
        try {
            JsonNode node = JSON.readTree(Files.readString(file, StandardCharsets.UTF_8));
            if (!node.isObject()) {
                throw new UserException(file + " holds no JSON object; mend or delete it");
            }
            return node;
        } catch (JsonProcessingException e) {
            throw new UserException(file + " is not JSON (" + e.getOriginalMessage() + "); mend or delete it", e);
        } catch (IOException e) {
            throw new UserException(file + " cannot be read (" + e + ")", e);
        }
    }
}
