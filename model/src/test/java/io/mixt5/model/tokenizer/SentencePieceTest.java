package io.mixt5.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import io.mixt5.model.tokenizer.SentencePieceModel.Piece;
import io.mixt5.model.tokenizer.SentencePieceModel.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ids and texts against those of sentencepiece itself, and the life of the native side. */
class SentencePieceTest {
    @ParameterizedTest
    @CsvSource({"t5-spiece, t5-spiece.model", "test_model, test_model.model"})
    void idsAndTextsAreSentencepieces(String name, String file) throws Exception {
        JsonNode golden = SharedFiles.json(SharedFiles.file("data/spm/golden.json"));
        JsonNode ids = golden.at("/models/" + name + "/ids");
        JsonNode decoded = golden.at("/models/" + name + "/decoded");
        JsonNode texts = golden.path("texts");
        assertEquals(254, texts.size());
        try (SentencePiece pieces = load(SharedFiles.file("data/spm/" + file))) {
            for (int i = 0; i < texts.size(); i++) {
                String text = texts.get(i).textValue();
                int[] expected = SharedFiles.ints(ids.get(i));
                assertArrayEquals(expected, pieces.encode(text), text);
                assertEquals(decoded.get(i).textValue(), pieces.decode(expected), text);
            }
        }
    }

    @Test
    void mostProbableCutIsChosen() {
        try (SentencePiece pieces = tiny()) {
            assertArrayEquals(new int[]{5, 4}, pieces.encode("abab"));
            assertArrayEquals(new int[]{5}, pieces.encode("  ab "));
            assertArrayEquals(new int[]{3, 2, 4}, pieces.encode("\uD83D\uDE00ab"), "beyond U+FFFF");
            assertArrayEquals(new int[]{5, 2, 4}, pieces.encode("ab\0ab"), "NUL");
            assertArrayEquals(new int[]{3, 2}, pieces.encode("\uD83D"), "lone surrogate");
            assertArrayEquals(new int[0], pieces.encode(""));
        }
    }

    @Test
    void decodingDropsControlsAndLeadingSpace() {
        try (SentencePiece pieces = tiny()) {
            assertEquals("abab ab", pieces.decode(new int[]{0, 3, 5, 4, 5, 1}));
            assertEquals(" \u2047 ab", pieces.decode(new int[]{2, 4}));
            assertEquals("", pieces.decode(new int[0]));
            assertThrows(IndexOutOfBoundsException.class, () -> pieces.decode(new int[]{6}));
            assertThrows(IndexOutOfBoundsException.class, () -> pieces.decode(new int[]{-1}));
        }
    }

    @Test
    void piecesAreFoundByText() {
        try (SentencePiece pieces = tiny()) {
            assertEquals(6, pieces.size());
            assertEquals(5, pieces.idOf("\u2581ab"));
            assertEquals(-1, pieces.idOf("c"));
        }
    }

    @Test
    void closingTwiceIsHarmlessAndEncodingAfterIsRefused() {
        SentencePiece pieces = tiny();
        pieces.close();
        pieces.close();
        assertThrows(IllegalStateException.class, () -> pieces.encode("ab"));
        assertEquals("ab", pieces.decode(new int[]{4}));
    }

    @Test
    void threadsMayShareOne() throws Exception {
        try (SentencePiece pieces = tiny(); ExecutorService threads = Executors.newFixedThreadPool(4)) {
            String text = "ab abab b a ".repeat(50);
            int[] expected = pieces.encode(text);
            List<Callable<int[]>> tasks = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                tasks.add(() -> pieces.encode(text));
            }
            for (Future<int[]> ids : threads.invokeAll(tasks)) {
                assertArrayEquals(expected, ids.get());
            }
        }
    }

    private static SentencePiece load(Path file) throws Exception {
        return new SentencePiece(SentencePieceModel.read(Files.readAllBytes(file), file.toString()), file.toString());
    }

    private static SentencePiece tiny() {
        return new SentencePiece(tinyModel(), "tiny");
    }

    static SentencePieceModel tinyModel() {
        return SentencePieceModel.unigram(List.of(
                new Piece("<pad>", 0, Type.CONTROL),
                new Piece("</s>", 0, Type.CONTROL),
                new Piece("<unk>", 0, Type.UNKNOWN),
                new Piece("\u2581", -3, Type.NORMAL),
                new Piece("ab", -2, Type.NORMAL),
                new Piece("\u2581ab", -1, Type.NORMAL)));
    }
}
