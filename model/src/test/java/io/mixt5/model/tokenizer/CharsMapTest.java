package io.mixt5.model.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mixt5.model.tokenizer.ProtobufReader.MalformedException;
import io.mixt5.model.tokenizer.SentencePieceModel.Algorithm;
import io.mixt5.model.tokenizer.SentencePieceModel.Normalizer;
import io.mixt5.model.tokenizer.SentencePieceModel.Piece;
import io.mixt5.model.tokenizer.SentencePieceModel.Type;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Compiled normalisation rules, walked by sentencepiece. */
class CharsMapTest {
    private static final byte[] MAP = CharsMap.compile(new TreeMap<>(Map.of(
            "\t", " ", "\u3000", " ", "x", "a", "xx", "b", "\uD83D\uDE00", "ab", "q", "")));

    @Test
    void sentencepieceFollowsCompiledRulesLongestFirst() {
        SentencePieceModel model = new SentencePieceModel(
                List.of(new Piece("<unk>", 0, Type.UNKNOWN), new Piece("\u2581", -1, Type.NORMAL),
                        new Piece("a", -1, Type.NORMAL), new Piece("b", -1, Type.NORMAL)),
                Algorithm.UNIGRAM, false, "?", new Normalizer("user_defined", MAP, true, true, true));
        try (SentencePiece pieces = new SentencePiece(model, "rules")) {
            assertArrayEquals(new int[]{1, 3, 2}, pieces.encode("xxx"));
            assertArrayEquals(new int[]{1, 2, 1, 3, 1, 2}, pieces.encode("\t a\t\u3000b\u3000a \t"));
            assertArrayEquals(new int[]{1, 2, 3, 2}, pieces.encode("\uD83D\uDE00aq"));
            assertArrayEquals(new int[]{1, 2, 0, 3}, pieces.encode("a\0\uD83D\uDE01\u3001b"), "no key matches");
        }
    }

    @Test
    void compiledAndRealRulesPassTheCheck() throws Exception {
        assertDoesNotThrow(() -> CharsMap.check(MAP));
        assertDoesNotThrow(() -> CharsMap.check(new byte[0]));
        byte[] file = Files.readAllBytes(SharedFiles.file("data/spm/t5-spiece.model"));
        byte[] map = SentencePieceModel.read(file, "t5").normalizer().charsMap();
        assertDoesNotThrow(() -> CharsMap.check(map));
    }

    @Test
    void rulesThatLeadOutsideAreFound() {
        assertThrows(MalformedException.class, () -> CharsMap.check(Arrays.copyOf(MAP, MAP.length - 1)), "no last NUL");
        assertThrows(MalformedException.class, () -> CharsMap.check(with(4, 0x7ffffc00)), "root beyond the end");
        int unitOfTab = 4 * (1 + 256 + '\t');
        assertThrows(MalformedException.class, () -> CharsMap.check(with(unitOfTab, '\t' | 0x100 | ('\t' << 10))),
                "a loop");
        int valueOfTab = 4 * (1 + 512);
        assertThrows(MalformedException.class, () -> CharsMap.check(with(valueOfTab, 0x80000fff)), "far value");
    }

    private static byte[] with(int at, int unit) {
        byte[] map = MAP.clone();
        for (int i = 0; i < Integer.BYTES; i++) {
            map[at + i] = (byte) (unit >> Byte.SIZE * i);
        }
        return map;
    }
}
