package io.mixt5.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.UserException;
import io.mixt5.model.tokenizer.SentencePieceModel.Piece;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The learned vocabularies, used by sentencepiece itself. */
class UnigramTrainerTest {
    private static final List<String> TEXT = text();

    @Test
    void frequentWordsBecomePiecesAndTextComesBack() {
        SentencePieceModel model = UnigramTrainer.train(TEXT, 60);
        assertEquals(60, model.pieces().size());
        assertEquals(List.of("<pad>", "</s>", "<unk>"),
                model.pieces().stream().limit(3).map(Piece::text).toList());
        List<String> pieces = model.pieces().stream().map(Piece::text).toList();
        assertTrue(pieces.containsAll(List.of("\u2581the", "\u2581red", "\u2581house", ".")), pieces.toString());
        try (SentencePiece tokenizer = new SentencePiece(model, "learned")) {
            for (String sentence : TEXT) {
                int[] ids = tokenizer.encode(sentence);
                assertEquals(sentence, tokenizer.decode(ids));
                assertFalse(Arrays.stream(ids).anyMatch(id -> id == 2), sentence);
            }
            assertEquals("so here the tree", tokenizer.decode(tokenizer.encode("so here the\ttree")));
        }
    }

    @Test
    void scoresAreLogProbabilitiesInFallingOrder() {
        List<Piece> pieces = UnigramTrainer.train(TEXT, 60).pieces();
        double sum = 0;
        for (int id = 3; id < pieces.size(); id++) {
            assertTrue(id == 3 || pieces.get(id).score() <= pieces.get(id - 1).score());
            sum += Math.exp(pieces.get(id).score());
        }
        assertTrue(sum > 0.8 && sum < 1.0, "digamma takes a little from each: " + sum);
    }

    @Test
    void sameTextGivesTheSameBytesInAnyOrder() {
        List<String> shuffled = new ArrayList<>(TEXT);
        byte[] bytes = UnigramTrainer.train(TEXT, 70).toBytes();
        assertArrayEquals(bytes, UnigramTrainer.train(TEXT, 70).toBytes());
        Collections.shuffle(shuffled, new Random(3));
        assertArrayEquals(bytes, UnigramTrainer.train(shuffled, 70).toBytes());
    }

    @Test
    void noPieceReachesAcrossWordsOrKindsOfCharacters() {
        for (Piece piece : UnigramTrainer.train(TEXT, 60).pieces().subList(3, 60)) {
            assertTrue(piece.text().matches("\u2581?(\\p{L}*|\\p{N}*|[^\\p{L}\\p{N}]*)"), piece.text());
        }
    }

    @Test
    void charactersBeyondFFFFStayWhole() {
        SentencePieceModel model = UnigramTrainer.train(List.of("\uD83D\uDE00\uD83D\uDE01 \uD83D\uDE00"), 20);
        try (SentencePiece tokenizer = new SentencePiece(model, "emoji")) {
            String text = "\uD83D\uDE01\uD83D\uDE00";
            assertEquals(text, tokenizer.decode(tokenizer.encode(text)));
        }
    }

    @Test
    void smallTextGivesFewerPiecesAndTooSmallVocabularyIsRefused() {
        assertTrue(UnigramTrainer.train(List.of("a a a"), 1000).pieces().size() < 10);
        UserException e = assertThrows(UserException.class, () -> UnigramTrainer.train(TEXT, 10));
        assertTrue(e.getMessage().contains("ask for at least "), e.getMessage());
    }

    @Test
    void realTextIsCoveredInFewPieces() throws Exception {
        List<String> lines = Files.readAllLines(SharedFiles.file("data/text/tinyshakespeare.txt")).subList(0, 4000);
        SentencePieceModel model = UnigramTrainer.train(lines, 1000);
        assertEquals(1000, model.pieces().size());
        try (SentencePiece tokenizer = new SentencePiece(model, "shakespeare")) {
            long ids = 0;
            long characters = 0;
            for (String line : lines) {
                ids += tokenizer.encode(line).length;
                characters += line.length();
                assertEquals(line.strip(), tokenizer.decode(tokenizer.encode(line)));
            }
            assertTrue(characters > 2.7 * ids, characters + " characters in " + ids + " pieces");
        }
    }

    private static List<String> text() {
        String[] nouns = {"house", "tree", "river", "stone", "horse"};
        String[] adjectives = {"red", "old", "small", "green"};
        Random random = new Random(7);
        List<String> text = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            text.add("So here the " + adjectives[random.nextInt(4)] + " " + nouns[random.nextInt(5)] + " stood in "
                    + (1900 + random.nextInt(20)) + ".");
        }
        text.add("so");
        return text;
    }
}
