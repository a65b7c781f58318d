package io.mixt5.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Device;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.quickstart.Quickstart;
import io.mixt5.train.squad.SquadPrompt;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** What a user can get wrong: one sentence that names the place, exit code 2, and nothing half-written left behind. */
class BadInputTest {
    private static final String QUESTION = "{'id': 'a', 'question': 'Who?', 'answers': [{'text': 'Anna', 'answer_start': 0}]}";

    @TempDir
    Path directory;

    private final StringWriter errors = new StringWriter();

    @BeforeEach
    void makeGoodInputs() {
        new Quickstart(4, 2, 6, 300).write(directory, 5);
        try (T5Tokenizer tokenizer = T5Tokenizer.load(directory.resolve("spiece.model"))
                .withAddedTokens(SquadPrompt.MARKERS);
                T5Model model = T5Model.random(shape(), Device.of("cpu"), 1)) {
            model.save(directory.resolve("model"));
            tokenizer.save(directory.resolve("model"));
        }
    }

    private static T5Config shape() {
        T5Config shape = T5Config.preset("tiny");
        shape.vocabSize = 512;
        shape.dModel = 16;
        shape.dKv = 4;
        shape.dFf = 16;
        shape.numLayers = 1;
        return shape;
    }

    @Test
    void aGoodRunIsGood() throws IOException {
        assertEquals(0, run("'max_steps': 1"), errors.toString());
        assertTrue(Files.exists(directory.resolve("run/best/model.safetensors")));
    }

    @Test
    void noConfiguration() {
        assertEquals(2, execute(directory.resolve("none.json").toString()));
        assertSentence("none.json");
    }

    @Test
    void noArguments() {
        assertEquals(2, execute());
        assertTrue(errors.toString().startsWith("Name a configuration or a command."), errors.toString());
    }

    @Test
    void anUnknownKey() throws IOException {
        refused("'learning_rat': 0.1", "learning_rat", "did you mean 'learning_rate'?");
    }

    @ParameterizedTest
    @ValueSource(strings = {"'max_steps': 'many'", "'learning_rate': true", "'seed': 1.5", "'optim': 'sgd'",
            "'max_steps': 0",
            "'dropout_rate': 1.0", "'train_file': 7"})
    void aWrongValue(String key) throws IOException {
        refused(key, key.substring(1, key.indexOf('\'', 1)));
    }

    @Test
    void brokenJson() throws IOException {
        Path config = directory.resolve("config.json");
        Files.writeString(config, "{\"save_dir\": ");
        assertEquals(2, execute(config.toString()));
        assertSentence("config.json");
    }

    @Test
    void missingData() throws IOException {
        refused("'train_file': 'gone.json'", "train_file", "gone.json");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{'data': []}", "{'data': [{'paragraphs': [{'context': '', 'qas': [" + QUESTION + "]}]}]}",
            "{'data': [{'paragraphs': [{'context': 'Anna.', 'qas': [{'id': 'a', 'question': 'Who?', 'answers': []}]}]}]}",
            "{'data': [{'paragraphs': [{'context': 5, 'qas': []}]}]}", "[]", ""})
    void unusableData(String json) throws IOException {
        Files.writeString(directory.resolve("bad.json"), json.replace('\'', '"'));
        refused("'train_file': 'bad.json'", "bad.json");
    }

    @Test
    void cutData() throws IOException {
        byte[] whole = Files.readAllBytes(directory.resolve("train.json"));
        Files.write(directory.resolve("cut.json"), Arrays.copyOf(whole, whole.length / 2));
        refused("'train_file': 'cut.json'", "cut.json");
    }

    @Test
    void dataThatIsNotUtf8() throws IOException {
        byte[] bytes = Files.readAllBytes(directory.resolve("train.json"));
        bytes[bytes.length / 2] = (byte) 0xff;
        Files.write(directory.resolve("latin.json"), bytes);
        refused("'train_file': 'latin.json'", "latin.json", "UTF-8");
    }

    @Test
    void aSaveDirectoryThatCannotBe() throws IOException {
        Files.writeString(directory.resolve("occupied"), "a file");
        refused("'save_dir': '" + directory.resolve("occupied/run") + "'", "occupied");
        assertEquals("a file", Files.readString(directory.resolve("occupied")));
    }

    @Test
    void aModelCutShort() throws IOException {
        changeWeights(bytes -> ByteBuffer.allocate(bytes.capacity() - 100).put(bytes.slice(0, bytes.capacity() - 100)));
        refused("", "model.safetensors");
    }

    @Test
    void aModelWhoseHeaderLies() throws IOException {
        changeWeights(bytes -> bytes.putLong(0, Long.MAX_VALUE));
        refused("", "model.safetensors");
    }

    @Test
    void aModelWithOverlappingTensors() throws IOException {
        changeHeader(header -> header.replaceFirst("\"data_offsets\":\\[(\\d+),(\\d+)\\]", "\"data_offsets\":[0,4]"));
        refused("", "model.safetensors");
    }

    @Test
    void aModelWithATensorOfAnotherShape() throws IOException {
        String json = Files.readString(directory.resolve("model/config.json"));
        Files.writeString(directory.resolve("model/config.json"), json.replace("\"d_ff\" : 16", "\"d_ff\" : 24"));
        refused("", "encoder.block.0.layer.1.DenseReluDense.wi_0.weight", "model.safetensors");
    }

    @Test
    void aModelWithoutWeights() throws IOException {
        Files.delete(directory.resolve("model/model.safetensors"));
        refused("", "model.safetensors");
    }

    @Test
    void aTokenizerLargerThanTheModel() throws IOException {
        refused("'pretrained_model_name_or_path': null, 'model_config': {'preset': 'tiny', 'vocab_size': 64},"
                + " 'tokenizer_name_or_path': 'spiece.model'", "64");
    }

    @Test
    void aBrokenVocabulary() throws IOException {
        Files.write(directory.resolve("model/spiece.model"), new byte[]{1, 2, 3});
        refused("", "spiece.model");
    }

    @Test
    void predictionsThatCannotBeWritten() {
        assertEquals(2, execute("predict", "--model", directory.resolve("model").toString(), "--data",
                directory.resolve("validation.json").toString(), "--output",
                directory.resolve("train.json/p.json").toString()));
        assertSentence("train.json");
    }

    private interface Change {
        ByteBuffer apply(ByteBuffer bytes);
    }

    private void changeWeights(Change change) throws IOException {
        Path file = directory.resolve("model/model.safetensors");
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        Files.write(file, change.apply(bytes).array());
    }

    private void changeHeader(UnaryOperator<String> change) throws IOException {
        changeWeights(bytes -> {
            int length = (int) bytes.getLong(0);
            byte[] header = change.apply(new String(bytes.array(), 8, length, StandardCharsets.UTF_8))
                    .getBytes(StandardCharsets.UTF_8);
            ByteBuffer changed = ByteBuffer.allocate(bytes.capacity() - length + header.length)
                    .order(ByteOrder.LITTLE_ENDIAN);
            return changed.putLong(header.length).put(header)
                    .put(bytes.slice(8 + length, bytes.capacity() - 8 - length));
        });
    }

    private void refused(String keys, String... named) throws IOException {
        assertEquals(2, run(keys), errors.toString());
        assertSentence(named);
        Path run = directory.resolve("run");
        if (Files.exists(run)) {
            try (Stream<Path> left = Files.walk(run)) {
                assertEquals(0, left.filter(Files::isRegularFile).count(), "files left behind");
            }
        }
        assertEquals(0, Device.of("cpu").liveTensors(), "tensors left behind");
    }

    /** Runs with a good configuration in which {@code keys} replace or add some. */
    private int run(String keys) throws IOException {
        String good = "'pretrained_model_name_or_path': 'model'; 'train_file': 'train.json'; 'validation_file': 'validation.json'; "
                + "'max_steps': 1; 'save_dir': '" + directory.resolve("run") + "'";
        StringBuilder json = new StringBuilder("{");
        for (String entry : good.split("; ")) {
            if (!keys.contains(entry.substring(0, entry.indexOf(':')))) {
                json.append(entry).append(", ");
            }
        }
        String text = (json + keys).strip().replaceAll(",$", "") + "}";
        Path config = directory.resolve("config.json");
        Files.writeString(config, text.replace('\'', '"'));
        return execute(config.toString());
    }

    private int execute(String... arguments) {
        CommandLine commandLine = Main.commandLine().setErr(new PrintWriter(errors, true));
        return commandLine.execute(arguments);
    }

    private void assertSentence(String... named) {
        String message = errors.toString().strip();
        assertTrue(message.startsWith("error: "), message);
        assertFalse(message.contains("\n"), message);
        for (String name : named) {
            assertTrue(message.contains(name), message + " names " + name);
        }
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, Device.of("cpu").liveTensors());
    }
}
