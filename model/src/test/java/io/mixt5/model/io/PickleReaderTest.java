package io.mixt5.model.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.UserException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pickles written by hand; a byte that is no ASCII character is given as {@code <hex>}. */
class PickleReaderTest {
    private static final int MAX_VALUES = 1000;

    @TempDir
    private Path directory;
    private Path file;

    @BeforeEach
    void nameFile() {
        file = directory.resolve("x.pkl");
    }

    @Test
    void readsNumbersTextsAndContainers() throws IOException {
        Object list = read("<80><02>](K<07>M<00><01>J<ff><ff><ff><ff><8a><02><00><80>G?<f0><00><00><00><00><00><00>"
                + "<88><89>X<02><00><00><00><c3><a9>U<01>a<8a><09><00><00><00><00><00><00><00><80><00>e.");
        assertEquals(List.of(7L, 256L, -1L, -32768L, 1.0, true, false, "\u00e9", "a", BigInteger.ONE.shiftLeft(63)),
                list);
        Map<?, ?> dict = assertInstanceOf(Map.class, read("}U<01>aK<01>s(U<01>bNK<02>)u."));
        assertEquals(1L, dict.get("a"));
        assertSame(PickleReader.NONE, dict.get("b"));
        assertEquals(0, assertInstanceOf(PickleReader.Tuple.class, dict.get(2L)).items().length);
        assertEquals(3, assertInstanceOf(PickleReader.Tuple.class, read("K<01>K<02>K<03><87>.")).items().length);
        assertEquals(List.of(5L, 5L), read("]K<05>q<03>ah<03>a."));
        assertEquals(List.of(5L), read("<80><04><95><05><00><00><00><00><00><00><00>]<94>K<05>a."));
        assertEquals(0L, read("<8a><00>."));
    }

    /** The pickle; what is wrong with it, behind "FILE: its pickle ". */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "cos.path<0a>exists<0a>. | asks for os.path.exists, which no file of weights needs; nothing of it was run, "
                    + "do not trust the file (byte 0)",
            "(ios<0a>system<0a>. | asks for os.system, which no file of weights needs; nothing of it was run, "
                    + "do not trust the file (byte 1)",
            "N0. | uses the opcode POP, which no file of weights needs; nothing of it was run (byte 1)",
            "<ff>. | is damaged, 255 at byte 0 is no opcode",
            "<80><06>. | has the protocol 6, and at most 5 is known (byte 0)",
            ". | is damaged, it takes more than there is (before byte 1)",
            "K<01><86>. | is damaged, it takes more than there is (before byte 3)",
            "K<01>(K<02><86>. | is damaged, it takes more than there is (before byte 6)",
            "K<01>t. | is damaged, it takes more than there is (before byte 3)",
            "h<00>. | uses number 0 of its memo, which was never set (byte 0)",
            "K<01>K<02>a. | appends to what is no list (byte 4)",
            "K<01>U<01>aK<02>s. | sets items of what is no dict (byte 7)",
            "}(U<01>au. | sets items of what is no dict (byte 5)",
            "})K<02>s. | has a dict with a key that is neither text nor number (byte 4)",
            "K<01>}b. | sets the state of an object that is no dict; nothing of it was run (byte 3)",
            "K<01>)R. | calls what is no function (byte 3)",
            "ccollections<0a>OrderedDict<0a>K<01>R. | calls with arguments that are no tuple (byte 27)",
            "ccollections<0a>OrderedDict<0a>]<85>R. | makes an OrderedDict from arguments (byte 27)",
            "K<01>K<02><93>. | asks for a global whose name is no text (byte 4)",
            "K<01>Q. | refers to what is no storage of a known type (byte 2)",
            "X<ff><ff><ff><ff>a. | has a text of 4294967295 bytes at byte 5, and at most 65536 are allowed",
            "<8d><00><00><00><00><00><00><00><80>a. "
                    + "| has a text of 9223372036854775808 bytes at byte 9, and at most 65536 are allowed",
            "<8a><ff>. | has an integer of 255 bytes (byte 0)"})
    void refuses(String pickle, String message) {
        String found = assertThrows(UserException.class, () -> read(pickle)).getMessage();
        assertTrue(found.startsWith(file + ": its pickle ") && found.endsWith(message), found);
    }

    @Test
    void refusesWhatEndsTooEarlyOrIsNoText() {
        assertEquals(file + " ends in the middle of its pickle, it was cut",
                assertThrows(UserException.class, () -> read("X<05><00><00><00>abc")).getMessage());
        assertEquals(file + " ends in the middle of its pickle, it was cut",
                assertThrows(UserException.class, () -> read("K<01>")).getMessage());
        assertEquals(file + ": its pickle has a name of more than 256 bytes at byte 257",
                assertThrows(UserException.class, () -> read("c" + "o".repeat(300))).getMessage());
        assertTrue(assertThrows(UserException.class, () -> read("U<02><c3>(.")).getMessage()
                .contains("a text that is not UTF-8"));
    }

    /** What holds itself, or the same thing twice in each of thirty levels, costs only what it says. */
    @Test
    void expandsNothing() throws IOException {
        assertEquals(1, assertInstanceOf(List.class, read("]q<00>h<00>a.")).size());
        StringBuilder laughs = new StringBuilder("]q<00>");
        for (int i = 0; i < 30; i++) {
            laughs.append("](h<%02x>h<%02x>eq<%02x>".formatted(i, i, i + 1));
        }
        assertEquals(2, assertInstanceOf(List.class, read(laughs + ".")).size());
    }

    @Test
    void limitsWhatAPickleMakes() {
        String message = file + ": its pickle makes more values than the weights in a file of that size need";
        for (String piece : List.of("}", "]", ")", "(", "N", "K<01>q<00>", "<85>")) {
            assertEquals(message, assertThrows(UserException.class, () -> read(
                    "N" + (piece.equals("<85>") ? "" : piece) + piece.repeat(MAX_VALUES + 1) + ".")).getMessage());
        }
    }

    @Test
    void remembersUnderLargeNumbers() throws IOException {
        assertEquals(List.of(9L, 9L), read("]K<09>r<ff><ff><ff><ff>aj<ff><ff><ff><ff>a."));
    }

    private Object read(String pickle) throws IOException {
        Files.write(file, bytes(pickle));
        try (DataFile data = DataFile.open(file)) {
            return PickleReader.read(file, new PickleInput(data, 0, data.size()), new TorchHost(), MAX_VALUES);
        }
    }

    private static byte[] bytes(String pickle) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < pickle.length(); i++) {
            if (pickle.charAt(i) == '<') {
                bytes.write(Integer.parseInt(pickle, i + 1, i + 3, 16));
                i += 3;
            } else {
                bytes.write(pickle.charAt(i));
            }
        }
        return bytes.toByteArray();
    }
}
