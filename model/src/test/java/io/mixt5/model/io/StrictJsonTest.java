package io.mixt5.model.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.UserException;
import io.mixt5.model.io.StrictJson.UnknownKeys;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StrictJsonTest {
    enum Pace {
        SLOW_WALK, RUN
    }

    record Part(String name, int size) {
    }

    static final class Settings {
        public int batchSize = 8;
        public long seed = 42;
        public double learningRate = 0.5;
        public Double dropout;
        public boolean shuffle = true;
        public Pace pace = Pace.RUN;
        public String title;
        public Path saveDir;
        public List<Integer> sizes = List.of();
        public Part part;
    }

    @TempDir
    private Path directory;
    private Path file;

    @BeforeEach
    void nameFile() {
        file = directory.resolve("config.json");
    }

    @Test
    void bindsEveryKind() throws IOException {
        Settings s = read("""
                {"batch_size": 16, "seed": 9007199254740993, "learning_rate": 1, "dropout": 1e-1, "shuffle": false,
                 "pace": "slow_walk", "title": "caf\u00e9", "save_dir": "runs/a:b", "sizes": [1, 2],
                 "part": {"name": "p", "size": 3}}""");
        assertEquals(16, s.batchSize);
        assertEquals(9007199254740993L, s.seed);
        assertEquals(1.0, s.learningRate);
        assertEquals(0.1, s.dropout);
        assertEquals(false, s.shuffle);
        assertEquals(Pace.SLOW_WALK, s.pace);
        assertEquals("caf\u00e9", s.title);
        assertEquals(Path.of("runs/a:b"), s.saveDir);
        assertEquals(List.of(1, 2), s.sizes);
        assertEquals(new Part("p", 3), s.part);
    }

    @Test
    void keepsDefaultsAndTakesNullAsNotGiven() throws IOException {
        for (String json : List.of("{}", "{\"batch_size\": null, \"pace\": null, \"dropout\": null, \"part\": null}")) {
            Settings s = read(json);
            assertEquals(8, s.batchSize);
            assertEquals(Pace.RUN, s.pace);
            assertNull(s.dropout);
            assertNull(s.part);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "{\"batch_size\": \"8\"} | key 'batch_size' in FILE must be a whole number, found the text \"8\"",
            "{\"batch_size\": 8.5} | key 'batch_size' in FILE must be a whole number, found the number 8.5",
            "{\"batch_size\": true} | key 'batch_size' in FILE must be a whole number, found true",
            "{\"batch_size\": [8]} | key 'batch_size' in FILE must be a whole number, found a list",
            "{\"batch_size\": 3000000000} "
                    + "| key 'batch_size' in FILE must be between -2147483648 and 2147483647, found the number "
                    + "3000000000",
            "{\"seed\": 9223372036854775808} | key 'seed' in FILE must be between -9223372036854775808 and "
                    + "9223372036854775807, found the number 9223372036854775808",
            "{\"seed\": \"\"} | key 'seed' in FILE must be a whole number, found the text \"\"",
            "{\"learning_rate\": \"5e-5\"} | key 'learning_rate' in FILE must be a number, found the text \"5e-5\"",
            "{\"learning_rate\": {}} | key 'learning_rate' in FILE must be a number, found an object",
            "{\"dropout\": \"none\"} | key 'dropout' in FILE must be a number, found the text \"none\"",
            "{\"dropout\": false} | key 'dropout' in FILE must be a number, found false",
            "{\"shuffle\": \"true\"} | key 'shuffle' in FILE must be true or false, found the text \"true\"",
            "{\"shuffle\": 1} | key 'shuffle' in FILE must be true or false, found the number 1",
            "{\"pace\": \"runn\"} "
                    + "| key 'pace' in FILE must be one of slow_walk, run, found the text \"runn\", did you mean "
                    + "'run'?",
            "{\"pace\": \"\"} | key 'pace' in FILE must be one of slow_walk, run, found the text \"\"",
            "{\"pace\": 1} | key 'pace' in FILE must be one of slow_walk, run, found the number 1",
            "{\"title\": 3} | key 'title' in FILE must be a text, found the number 3",
            "{\"title\": true} | key 'title' in FILE must be a text, found true",
            "{\"title\": [\"a\"]} | key 'title' in FILE must be a text, found a list",
            "{\"save_dir\": 3} | key 'save_dir' in FILE must be a path, found the number 3",
            "{\"save_dir\": {\"a\": 1}} | key 'save_dir' in FILE must be a path, found an object",
            "{\"sizes\": 3} | key 'sizes' in FILE must be a list, found the number 3",
            "{\"sizes\": [1, \"2\"]} | key 'sizes[1]' in FILE must be a whole number, found the text \"2\"",
            "{\"part\": \"small\"} | key 'part' in FILE must be an object, found the text \"small\"",
            "{\"part\": {\"name\": 1}} | key 'part.name' in FILE must be a text, found the number 1",
            "{\"part\": {\"name\": \"a\"}} | key 'part.size' is missing in FILE",
            "{\"part\": {\"nam\": \"a\", \"size\": 1}} | unknown key 'part.nam' in FILE, did you mean 'name'?",
            "{\"batchsize\": 8} | unknown key 'batchsize' in FILE, did you mean 'batch_size'?",
            "{\"tilte\": 8} | unknown key 'tilte' in FILE, did you mean 'title'?",
            "{\"colour\": 8} | unknown key 'colour' in FILE, remove it",
            "{\"seed\": 1, \"seed\": 1} | FILE has the key 'seed' twice",
            "{\"part\": {\"size\": 1, \"size\": 1}} | FILE has the key 'part.size' twice",
            "[1] | FILE must hold a JSON object, found a list",
            "3 | FILE must hold a JSON object, found the number 3",
            "{} {} | FILE goes on after the end of its JSON",
            "`` | FILE is empty, but a JSON object is needed",
            "{\"seed\": 1 | FILE ends in the middle of its JSON, it was cut (line 1, column 11)",
            "{\"seed | FILE ends in the middle of its JSON, it was cut (line 1, column 7)"})
    void namesWhatIsWrong(String json, String message) throws IOException {
        assertEquals(message.replace("FILE", file.toString()),
                assertThrows(UserException.class, () -> read(json)).getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"{'seed': 1}", "{seed: 1}", "{\"seed\": 01}",
            "{\"seed\": NaN}", "{\"seed\": 1,}", "// note\n{}", "{\"seed\": 1 /* note */}", "{\"a\": \"\u0001\"}", "x"})
    void refusesWhatIsNotJson(String json) {
        String message = assertThrows(UserException.class, () -> read(json)).getMessage();
        assertTrue(message.startsWith(file + " is not valid JSON: "), message);
        assertTrue(message.matches("(?s).* \\(line \\d+, column \\d+\\)"), message);
        assertEquals(-1, message.indexOf('\n'), message);
    }

    @Test
    void refusesBytesThatAreNotUtf8() throws IOException {
        Files.write(file, "{\"title\": \"caf\u00e9\"}".getBytes(StandardCharsets.ISO_8859_1));
        assertEquals(file + " is not valid UTF-8 at byte 14",
                assertThrows(UserException.class, () -> StrictJson.readObject(file)).getMessage());
    }

    @Test
    void refusesAMissingFileAndADirectory() {
        assertEquals("there is no file " + file,
                assertThrows(UserException.class, () -> StrictJson.readObject(file)).getMessage());
        assertEquals(directory + " is a directory, but a file is needed here",
                assertThrows(UserException.class, () -> StrictJson.readObject(directory)).getMessage());
    }

    @Test
    void ignoresUnknownKeysWhereTold() throws IOException {
        ObjectNode tree = tree("{\"architectures\": [\"T5\"], \"seed\": 7}");
        assertEquals(7, StrictJson.bind(tree, Settings.class, file, UnknownKeys.IGNORE).seed);
        ObjectNode wrong = tree("{\"architectures\": [\"T5\"], \"seed\": \"7\"}");
        assertThrows(UserException.class, () -> StrictJson.bind(wrong, Settings.class, file, UnknownKeys.IGNORE));
    }

    @Test
    void updatesWhatIsGiven() throws IOException {
        Settings s = read("{\"seed\": 7, \"title\": \"t\"}");
        StrictJson.update(s, tree("{\"seed\": 8, \"part\": {\"name\": \"p\", \"size\": 1}}"), file, "model");
        assertEquals(8, s.seed);
        assertEquals("t", s.title);
        assertEquals(new Part("p", 1), s.part);
        ObjectNode misspelt = tree("{\"seeed\": 8}");
        assertEquals("unknown key 'model.seeed' in " + file + ", did you mean 'seed'?",
                assertThrows(UserException.class, () -> StrictJson.update(s, misspelt, file, "model")).getMessage());
        ObjectNode wrong = tree("{\"part\": {\"name\": 1}}");
        assertEquals("key 'model.part.name' in " + file + " must be a text, found the number 1",
                assertThrows(UserException.class, () -> StrictJson.update(s, wrong, file, "model")).getMessage());
    }

    @Test
    void unpacksGzip() throws IOException {
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
            out.write("{\"seed\": 3}".getBytes(StandardCharsets.UTF_8));
        }
        assertEquals(3, StrictJson.read(file, Settings.class).seed);
        byte[] whole = Files.readAllBytes(file);
        for (int length = 2; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertEquals(file + " ends in the middle of its gzip data, it was cut",
                    assertThrows(UserException.class, () -> StrictJson.readObject(file)).getMessage());
        }
        whole[whole.length - 5] ^= 1;
        Files.write(file, whole);
        assertEquals(file + " is damaged: its gzip data cannot be unpacked",
                assertThrows(UserException.class, () -> StrictJson.readObject(file)).getMessage());
    }

    /** Lists in a list would take twenty times the file, twenty million zeros pack to twenty thousand bytes. */
    @Test
    void limitsWhatItTakesIntoMemory() throws IOException {
        Files.writeString(file, "{\"sizes\": [" + "[],".repeat(200_000) + "[]]}");
        refusedAsTooLarge("is larger or deeper than what is read here: ");
        Files.writeString(file, "[".repeat(100_000));
        refusedAsTooLarge("is larger or deeper than what is read here: ");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
            out.write("{\"title\":".getBytes(StandardCharsets.UTF_8));
            for (int i = 0; i < 20; i++) {
                out.write(" ".repeat(1 << 20).getBytes(StandardCharsets.UTF_8));
            }
        }
        refusedAsTooLarge("unpacks to more than 100 times its size, as no text does; if it is good, unpack it by hand");
    }

    private void refusedAsTooLarge(String message) {
        String found = assertThrows(UserException.class, () -> StrictJson.readObject(file)).getMessage();
        assertTrue(found.startsWith(file + " " + message), found);
    }

    @Test
    void writesWhatItReads() throws IOException {
        Settings s = read(
                "{\"save_dir\": \"a/b\", \"pace\": \"slow_walk\", \"part\": {\"name\": \"\u20ac\", \"size\": 1}}");
        StrictJson.write(file, s);
        Settings again = StrictJson.read(file, Settings.class);
        assertEquals(s.saveDir, again.saveDir);
        assertEquals(s.pace, again.pace);
        assertEquals(s.part, again.part);
        assertTrue(Files.readString(file).contains("\"pace\" : \"slow_walk\""), Files.readString(file));
    }

    private ObjectNode tree(String json) throws IOException {
        Files.writeString(file, json);
        return StrictJson.readObject(file);
    }

    private Settings read(String json) throws IOException {
        Files.writeString(file, json);
        return StrictJson.read(file, Settings.class);
    }
}
