package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.Device;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.UserException;
import io.mixt5.engine.op.Route;
import io.mixt5.model.io.SafetensorsFile;
import io.mixt5.model.io.SafetensorsTensor;
import io.mixt5.model.io.SafetensorsWriter;
import io.mixt5.model.io.StrictJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints in Hugging Face SwitchTransformers' naming, read and written. */
class SwitchTransformersTest {
    private static final SaveOptions SWITCH = SaveOptions.DEFAULT.withNaming(CheckpointNaming.SWITCH_TRANSFORMERS);

    @TempDir
    Path directory;
    private final Device device = Device.of("reference");

    @ParameterizedTest
    @ValueSource(strings = {"tiny-switch-tied", "tiny-switch-untied"})
    void lossLogitsAndGradientsEqualTransformers(String name) {
        ModelGoldens.ofProject(name, directory).checkPass(device);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-switch-tied", "tiny-switch-untied"})
    void writingGivesTheNamesThatWereRead(String name) {
        Path original = ModelGoldens.ofProject(name, directory).directory();
        Path copy = directory.resolve("copy");
        try (T5Model model = T5Model.load(original, device)) {
            model.save(copy, SWITCH);
        }
        try (SafetensorsFile read = SafetensorsFile.open(original.resolve("model.safetensors"));
                SafetensorsFile written = SafetensorsFile.open(copy.resolve("model.safetensors"))) {
            assertEquals(read.names().stream().sorted().toList(), written.names().stream().sorted().toList());
        }
        ObjectNode written = StrictJson.readObject(copy.resolve("config.json"));
        ObjectNode read = StrictJson.readObject(original.resolve("config.json"));
        written.fieldNames().forEachRemaining(key -> {
            if (!key.equals("feed_forward_proj")) { // which older versions of transformers read
                assertEquals(read.get(key), written.get(key), key);
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-switch-tied", "tiny-switch-untied"})
    void bothNamingsHoldTheSameModel(String name) {
        ModelGoldens goldens = ModelGoldens.ofProject(name, directory);
        Path ours = directory.resolve("ours");
        Path theirs = directory.resolve("theirs");
        float[] expected;
        try (T5Model model = T5Model.load(goldens.directory(), device)) {
            expected = logits(model, goldens);
            model.save(ours);
        }
        try (T5Model model = T5Model.load(ours, device)) {
            assertArrayEquals(expected, logits(model, goldens));
            model.save(theirs, SWITCH);
        }
        try (T5Model model = T5Model.load(theirs, device)) {
            assertArrayEquals(expected, logits(model, goldens));
        }
    }

    @Test
    void anEmbeddingOfItsOwnInAStackIsRefused() throws IOException {
        Path original = ModelGoldens.ofProject("tiny-switch-untied", directory).directory();
        Path copy = Files.createDirectory(directory.resolve("copy"));
        Files.copy(original.resolve("config.json"), copy.resolve("config.json"));
        String own = "decoder.embed_tokens.weight";
        try (SafetensorsFile file = SafetensorsFile.open(original.resolve("model.safetensors"))) {
            SafetensorsTensor head = file.info("lm_head.weight");
            SafetensorsWriter.write(copy.resolve("model.safetensors"), file.names().stream()
                    .map(name -> name.equals(own)
                            ? new SafetensorsTensor(own, head.type(), head.shape(), head.data())
                            : file.info(name))
                    .toList());
        }
        UserException e = assertThrows(UserException.class, () -> T5Model.load(copy, device));
        assertTrue(e.getMessage().contains(own + " differs from shared.weight"), e.getMessage());
    }

    private float[] logits(T5Model model, ModelGoldens goldens) {
        try (Scope scope = new Scope(device)) {
            return model.forward(Tape.inference(scope), goldens.batch(model.config())).logits().toFloats();
        }
    }

    /** Steps are rounded down, a step of 1 is every block, and no mixture asked for still makes block 1 one. */
    @ParameterizedTest
    @CsvSource({"4, 2, 1 3", "4, 4, 0 1 2 3", "5, 2, 1 3", "6, 2, 1 4", "4, 3, 0 1 2 3", "4, 0, 1", "1, 0, 0",
            "2, 3, ''"})
    void mixturesAreWhereTransformersPutsThem(int layers, int sparse, String expected) {
        T5Config config = read("'num_layers': " + layers + ", 'num_decoder_layers': " + layers
                + ", 'num_sparse_encoder_layers': " + sparse + ", 'num_sparse_decoder_layers': " + sparse);
        assertEquals(expected, mixtures(config, layers));
    }

    @Test
    void aWrittenStepWinsOverTheNumberOfMixtures() {
        assertEquals("1 4", mixtures(read("'num_layers': 5, 'num_decoder_layers': 5, 'num_sparse_encoder_layers': 5,"
                + "'encoder_sparse_step': 3, 'decoder_sparse_step': 3"), 5));
    }

    @Test
    void stacksOfDifferentStepsAreReadWhereTheirMixturesAgree() {
        String shape = "'num_layers': 2, 'num_decoder_layers': 4, 'num_sparse_encoder_layers': 1, ";
        assertEquals("1", mixtures(read(shape + "'num_sparse_decoder_layers': 1"), 4));
        UserException e = assertThrows(UserException.class, () -> read(shape + "'num_sparse_decoder_layers': 4"));
        assertTrue(e.getMessage().contains("the encoder's mixtures are in other blocks"), e.getMessage());
    }

    private static String mixtures(T5Config config, int layers) {
        return String.join(" ", IntStream.range(0, layers).filter(config.mixture()::isMixture)
                .mapToObj(Integer::toString).toList());
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '|', value = {"'router_bias': true, router_bias",
            "'router_dtype': 'bfloat16', router_dtype",
            "'dense_act_fn': 'gated-gelu', feed-forward", "'feed_forward_proj': 'gated-gelu', feed-forward",
            "'expert_capacity': 0, expert_capacity", "'num_experts': 0, num_local_experts"})
    void whatIsNotBuiltIsRefused(String keys, String named) {
        UserException e = assertThrows(UserException.class, () -> read(keys));
        assertTrue(e.getMessage().contains(named), e.getMessage());
        assertTrue(e.getMessage().contains("config.json"), e.getMessage());
    }

    private T5Config read(String keys) {
        try {
            Path file = directory.resolve("config.json");
            Files.writeString(file, "{'model_type': 'switch_transformers', ".replace('\'', '"')
                    + keys.replace('\'', '"') + "}");
            return T5Config.read(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void whatSwitchCannotExpressIsRefused() {
        refused("experts each", m -> m.numExpertsPerTok = 2, c -> {});
        refused("gate is preserving", m -> m.routerGate = Route.Gate.PRESERVING, c -> {});
        refused("gated-gelu", m -> {}, c -> c.feedForwardProj = "gated-gelu");
        refused("every n-th block", m -> m.moeLayers = List.of(1, 2), c -> {});
        refused("places depend", m -> m.evalCapacityPolicy = Route.Policy.CAPACITY, c -> {});
        refused("no mixtures", m -> m.activateMoe = false, c -> {});
        refused("scales", m -> {}, c -> c.scaleDecoderOutputs = false);
    }

    private void refused(String reason, Consumer<MixtureConfig> mixture, Consumer<T5Config> shape) {
        T5Config config = MixtureModels.config(mixture, c -> {
            c.feedForwardProj = "relu";
            c.tieWordEmbeddings = true;
            c.numLayers = 4;
            shape.accept(c);
        });
        Path target = directory.resolve("refused");
        try (T5Model model = T5Model.random(config, device, 1)) {
            UserException e = assertThrows(UserException.class,
                    () -> model.save(target, SWITCH));
            assertTrue(e.getMessage().contains(reason), e.getMessage());
            assertTrue(Files.notExists(target));
        }
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
