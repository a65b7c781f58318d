package io.mixt5.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.UserException;
import io.mixt5.model.tokenizer.SentencePieceModel.Algorithm;
import io.mixt5.model.tokenizer.SentencePieceModel.Normalizer;
import io.mixt5.model.tokenizer.SentencePieceModel.Piece;
import io.mixt5.model.tokenizer.SentencePieceModel.Type;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The model's file: round trips, and files that are broken in every way known. */
class SentencePieceModelTest {
    private static final Piece UNKNOWN = new Piece("<unk>", 0, Type.UNKNOWN);

    @Test
    void writtenModelReadsBackEqual() {
        SentencePieceModel model = SentencePieceTest.tinyModel();
        SentencePieceModel back = SentencePieceModel.read(model.toBytes(), "tiny");
        assertEquals(model.pieces(), back.pieces());
        assertEquals(Algorithm.UNIGRAM, back.algorithm());
        assertEquals(SentencePieceModel.DEFAULT_UNKNOWN_SURFACE, back.unknownSurface());
        assertEquals("user_defined", back.normalizer().name());
        assertEquals(2, back.unknownId());
        assertArrayEquals(model.toBytes(), back.toBytes());
    }

    @Test
    void everyFieldSurvives() {
        SentencePieceModel model = new SentencePieceModel(
                List.of(UNKNOWN, new Piece("\u2581\uD83D\uDE00", -1.5f, Type.USER_DEFINED),
                        new Piece("b", 2, Type.UNUSED)),
                Algorithm.BPE, true, "??", new Normalizer("none", new byte[0], false, false, false));
        SentencePieceModel back = SentencePieceModel.read(model.toBytes(), "odd");
        assertEquals(model.pieces(), back.pieces());
        assertEquals(Algorithm.BPE, back.algorithm());
        assertTrue(back.whitespaceAsSuffix());
        assertEquals("??", back.unknownSurface());
        assertArrayEquals(model.toBytes(), back.toBytes());
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5-spiece.model", "test_model.model"})
    void realModelsReadAndKeepWhatCounts(String file) throws Exception {
        byte[] bytes = Files.readAllBytes(SharedFiles.file("data/spm/" + file));
        SentencePieceModel model = SentencePieceModel.read(bytes, file);
        SentencePieceModel back = SentencePieceModel.read(model.toBytes(), file);
        assertEquals(model.pieces(), back.pieces());
        assertEquals(file.startsWith("t5") ? 32000 : 1000, model.pieces().size());
        assertEquals(file.startsWith("t5") ? "nmt_nfkc" : "nfkc", model.normalizer().name());
        assertArrayEquals(model.normalizer().charsMap(), back.normalizer().charsMap());
    }

    static Stream<Arguments> brokenModels() {
        Piece a = new Piece("a", -1, Type.NORMAL);
        return Stream.of(
                Arguments.of("no pieces", model()),
                Arguments.of("no unknown piece", model(a)),
                Arguments.of("two unknown pieces", model(UNKNOWN, new Piece("?", 0, Type.UNKNOWN))),
                Arguments.of("the same piece twice", model(UNKNOWN, a, a)),
                Arguments.of("empty piece", model(UNKNOWN, new Piece("", 0, Type.NORMAL))),
                Arguments.of("NUL in a piece", model(UNKNOWN, new Piece("a\0b", 0, Type.NORMAL))),
                Arguments.of("overlong piece", model(UNKNOWN, new Piece("a".repeat(9000), 0, Type.NORMAL))),
                Arguments.of("NaN", model(UNKNOWN, new Piece("a", Float.NaN, Type.NORMAL))),
                Arguments.of("infinite score", model(UNKNOWN, new Piece("a", -1 / 0f, Type.NORMAL))),
                Arguments.of("unknown type", field(1, new ProtobufWriter().text(1, "a").number(3, 9))),
                Arguments.of("byte piece", field(1, new ProtobufWriter().text(1, "<0x00>").number(3, 6))),
                Arguments.of("unknown algorithm", field(2, new ProtobufWriter().number(3, 5))),
                Arguments.of("charsmap of one byte", charsMap(new byte[]{1})),
                Arguments.of("charsmap whose trie is longer than it", charsMap(new byte[]{0, 4, 0, 0, 1, 2, 3})),
                Arguments.of("charsmap of negative size", charsMap(new byte[]{-1, -1, -1, -1, 0, 0, 0, 0})),
                Arguments.of("trie of one unit", charsMap(new byte[]{4, 0, 0, 0, 0, 0, 0, 0, 0})),
                Arguments.of("text where a message should stand", new byte[]{8, 1, 10, 3, 'a'}),
                Arguments.of("an endless number", new byte[]{8, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}),
                Arguments.of("field number 0", new byte[]{0, 0}),
                Arguments.of("wire type 7", new byte[]{15}),
                Arguments.of("text that is not UTF-8", field(1, new ProtobufWriter().bytes(1, new byte[]{-1}))),
                Arguments.of("empty file", new byte[0]),
                Arguments.of("something else", "Not a model at all, just a line of text.\n".getBytes()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("brokenModels")
    void brokenModelsAreRefusedByName(String what, byte[] file) {
        UserException e = assertThrows(UserException.class, () -> SentencePieceModel.read(file, "x/spiece.model"));
        assertTrue(e.getMessage().startsWith("x/spiece.model is not a usable SentencePiece model (it "), what);
    }

    @Test
    void everyCutOfAFileIsRefusedOrUsable() {
        byte[] file = SentencePieceTest.tinyModel().toBytes();
        for (int length = 0; length < file.length; length++) {
            loadAnyway(Arrays.copyOf(file, length));
        }
    }

    @Test
    void flippedBytesNeverBringTheProcessDown() throws Exception {
        byte[] file = Files.readAllBytes(SharedFiles.file("data/spm/test_model.model"));
        Random random = new Random(1);
        int refused = 0;
        for (int round = 0; round < 60; round++) {
            byte[] broken = file.clone();
            // The pieces are at the front, the table of normalisation rules at the end.
            int from = round % 2 == 0 ? 0 : file.length - 240_000;
            for (int flips = 1 << round % 8; flips > 0; flips--) {
                broken[from + random.nextInt(file.length - from)] = (byte) random.nextInt();
            }
            refused += loadAnyway(broken) ? 0 : 1;
        }
        assertTrue(refused > 0 && refused < 60, "refused " + refused);
    }

    /** Whether {@code file} was good enough to load; if so it must also encode. */
    private static boolean loadAnyway(byte[] file) {
        try (SentencePiece pieces = new SentencePiece(SentencePieceModel.read(file, "broken"), "broken")) {
            pieces.encode("The \u00bd \uFB01ne \u00e9 e\u0301 \u3000 \u1E9B\u0323 \uD835\uDD73 \u2460 test\u0000\t.");
            return true;
        } catch (UserException e) {
            assertTrue(e.getMessage().startsWith("broken is "), e.getMessage());
            return false;
        }
    }

    private static byte[] model(Piece... pieces) {
        ProtobufWriter file = new ProtobufWriter();
        for (Piece piece : pieces) {
            file.message(1, new ProtobufWriter().text(1, piece.text()).fixedFloat(2, piece.score())
                    .number(3, piece.type().ordinal() + 1));
        }
        return file.toBytes();
    }

    private static byte[] field(int number, ProtobufWriter message) {
        return new ProtobufWriter().message(number, message).toBytes();
    }

    private static byte[] charsMap(byte[] map) {
        byte[] pieces = model(UNKNOWN);
        byte[] normalizer = field(3, new ProtobufWriter().bytes(2, map));
        byte[] file = Arrays.copyOf(pieces, pieces.length + normalizer.length);
        System.arraycopy(normalizer, 0, file, pieces.length, normalizer.length);
        return file;
    }
}
