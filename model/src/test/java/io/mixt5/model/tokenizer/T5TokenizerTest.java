package io.mixt5.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.mixt5.engine.UserException;
import io.mixt5.model.tokenizer.SentencePieceModel.Piece;
import io.mixt5.model.tokenizer.SentencePieceModel.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sentinels and added tokens against Hugging Face, and the files of a tokenizer's directory. */
class T5TokenizerTest {
    private static final List<String> MARKERS = List.of("[squad]", "[question]", "[context]");

    @TempDir
    Path directory;

    @Test
    void idsAndTextsAreHuggingFaces() throws Exception {
        JsonNode golden = SharedFiles.json(SharedFiles.file("data/spm/hf-t5-tokenizer-golden.json"));
        assertEquals(11, golden.path("cases").size());
        try (T5Tokenizer plain = T5Tokenizer.load(SharedFiles.file("data/spm/t5-spiece.model"))) {
            T5Tokenizer tokenizer = plain.withAddedTokens(MARKERS);
            for (JsonNode each : golden.path("cases")) {
                String text = each.path("text").textValue();
                int[] ids = SharedFiles.ints(each.path("ids_eos"));
                assertArrayEquals(SharedFiles.ints(each.path("ids")), tokenizer.encode(text), text);
                assertArrayEquals(ids, tokenizer.encodeWithEnd(text), text);
                assertEquals(each.path("decode").textValue(), tokenizer.decode(ids, false), text);
                assertEquals(each.path("decode_skip").textValue(), tokenizer.decode(ids, true), text);
            }
        }
    }

    @Test
    void realVocabularyHasTheKnownIds() {
        try (T5Tokenizer plain = T5Tokenizer.load(SharedFiles.file("data/spm/t5-spiece.model"))) {
            assertEquals(32100, plain.vocabularySize());
            assertEquals(0, plain.padId());
            assertEquals(1, plain.endId());
            assertEquals(2, plain.unknownId());
            assertEquals(32099, plain.idOf("<extra_id_0>"));
            assertEquals(32000, plain.idOf("<extra_id_99>"));
            assertEquals(-1, plain.idOf("[squad]"));
            T5Tokenizer tokenizer = plain.withAddedTokens(MARKERS);
            assertEquals(32103, tokenizer.vocabularySize());
            assertEquals(32102, tokenizer.idOf("[context]"));
            assertEquals("[squad]", tokenizer.token(32100));
        }
    }

    @Test
    void specialTokensAreCutOutLeftmostAndLongestFirst() throws Exception {
        try (T5Tokenizer plain = load(null)) {
            T5Tokenizer tokenizer = plain.withAddedTokens(List.of("[a", "[ab]", "<extra_id_"));
            int base = plain.vocabularySize();
            assertArrayEquals(new int[]{base + 1, base, 2 + 3}, tokenizer.encode("[ab][a ab"));
            assertArrayEquals(new int[]{tokenizer.idOf("<extra_id_12>")}, tokenizer.encode(" <extra_id_12> "));
            assertArrayEquals(new int[]{base + 2, 5}, tokenizer.encode("<extra_id_ab"));
            assertEquals("[ab][a ab", tokenizer.decode(new int[]{base + 1, base, 5}, false));
        }
    }

    @Test
    void addingAKnownTokenKeepsItsId() throws Exception {
        try (T5Tokenizer plain = load(null)) {
            T5Tokenizer tokenizer = plain.withAddedTokens(List.of("ab", "</s>", "<extra_id_3>", "new"));
            assertEquals(plain.vocabularySize() + 1, tokenizer.vocabularySize());
            assertArrayEquals(new int[]{4, 4}, tokenizer.encode("abab"));
            assertEquals("", tokenizer.decode(new int[]{4, 4}, true));
            assertThrows(IllegalArgumentException.class, () -> plain.withAddedTokens(List.of("")));
        }
    }

    @Test
    void decodingPassesOverIdsBeyondTheVocabulary() throws Exception {
        try (T5Tokenizer tokenizer = load(null)) {
            assertEquals("ab", tokenizer.decode(new int[]{5, 106, 4000, -1}, true));
            assertEquals(106, tokenizer.vocabularySize());
        }
    }

    @Test
    void savedTokenizerLoadsEqual() throws Exception {
        Path saved = directory.resolve("a/b");
        int[] ids;
        try (T5Tokenizer plain = load("{\"extra_ids\": 7}")) {
            T5Tokenizer tokenizer = plain.withAddedTokens(MARKERS);
            ids = tokenizer.encodeWithEnd("[squad]ab<extra_id_6>");
            tokenizer.save(saved);
        }
        try (T5Tokenizer back = T5Tokenizer.load(saved)) {
            assertArrayEquals(new int[]{13, 5, 6, 1}, ids);
            assertArrayEquals(ids, back.encodeWithEnd("[squad]ab<extra_id_6>"));
            assertEquals(16, back.vocabularySize());
            back.save(directory.resolve("again"));
        }
        for (String file : List.of("spiece.model", "tokenizer_config.json", "special_tokens_map.json")) {
            assertArrayEquals(
                    Files.readAllBytes(saved.resolve(file)), Files.readAllBytes(directory.resolve("again/" + file)));
        }
    }

    @Test
    void addedTokensComeFromEveryFileThatHuggingFaceWrites() throws Exception {
        try (T5Tokenizer tokenizer = load("{\"additional_special_tokens\": [\"<extra_id_0>\", \"[x]\"],"
                + " \"extra_special_tokens\": [{\"content\": \"[y]\", \"special\": true}]}")) {
            assertEquals(106, tokenizer.idOf("[x]"));
            assertEquals(107, tokenizer.idOf("[y]"));
        }
        Files.writeString(directory.resolve("added_tokens.json"), "{\"[y]\": 107, \"[z]\": 106}");
        Files.writeString(
                directory.resolve("special_tokens_map.json"), "{\"additional_special_tokens\": [\"[y]\", \"[w]\"]}");
        try (T5Tokenizer tokenizer = load(null)) {
            assertEquals(106, tokenizer.idOf("[z]"));
            assertEquals(107, tokenizer.idOf("[y]"));
            assertEquals(108, tokenizer.idOf("[w]"));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "{\"extra_ids\": \"many\"}|extra_ids in ",
            "{\"extra_ids\": -1}|extra_ids in ",
            "[1]|tokenizer_config.json holds no JSON object",
            "{\"extra_ids\": 3|tokenizer_config.json is not JSON",
            "{\"added_tokens_decoder\": {\"x\": {\"content\": \"y\"}}}|the id \"x\"",
            "{\"added_tokens_decoder\": {\"106\": {\"content\": \"y\", \"special\": false}}}|not special",
            "{\"added_tokens_decoder\": {\"200\": {\"content\": \"y\", \"special\": true}}}|the token y the id 200",
            "{\"added_tokens_decoder\": {\"1\": {\"content\": \"<pad>\", \"special\": true}}}|the id 1",
            "{\"additional_special_tokens\": [3]}|holds 3 where",
            "{\"additional_special_tokens\": [\"\"]}|holds \"\" where",
    })
    void brokenFilesAreNamed(String config, String message) {
        UserException e = assertThrows(UserException.class, () -> load(config));
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertTrue(e.getMessage().contains(directory.toString()), e.getMessage());
    }

    @Test
    void missingAndUnfitModelsAreNamed() throws Exception {
        UserException missing = assertThrows(UserException.class, () -> T5Tokenizer.load(directory));
        assertTrue(missing.getMessage().contains(directory.resolve("spiece.model").toString()), missing.getMessage());
        Files.writeString(directory.resolve("tokenizer.json"), "{}");
        UserException fast = assertThrows(UserException.class, () -> T5Tokenizer.load(directory));
        assertTrue(fast.getMessage().startsWith("There is a tokenizer.json but no SentencePiece model "
                + directory.resolve("spiece.model") + ", which is what this reads; fetch spiece.model from "),
                fast.getMessage());
        SentencePieceModel model = SentencePieceModel.unigram(
                List.of(new Piece("<unk>", 0, Type.UNKNOWN), new Piece("a", -1, Type.NORMAL)));
        Path file = Files.write(directory.resolve("spiece.model"), model.toBytes());
        UserException unfit = assertThrows(UserException.class, () -> T5Tokenizer.load(file));
        assertTrue(unfit.getMessage().contains("has no piece <pad>"), unfit.getMessage());
        UserException unwritable = assertThrows(UserException.class, () -> {
            try (T5Tokenizer tokenizer = load(null)) {
                tokenizer.save(file.resolve("below-a-file"));
            }
        });
        assertTrue(unwritable.getMessage().startsWith("The tokenizer cannot be written to "), unwritable.getMessage());
    }

    /** The tiny model (six pieces) from the directory, beside {@code config} unless that is null. */
    private T5Tokenizer load(String config) throws Exception {
        Files.write(directory.resolve("spiece.model"), SentencePieceTest.tinyModel().toBytes());
        Files.deleteIfExists(directory.resolve("tokenizer_config.json"));
        if (config != null) {
            Files.writeString(directory.resolve("tokenizer_config.json"), config);
        }
        return T5Tokenizer.load(directory);
    }
}
