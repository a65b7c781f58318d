package io.mixt5.train.command;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Device;
import io.mixt5.engine.op.Route;
import io.mixt5.model.MixtureConfig;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.model.io.SafetensorsFile;
import io.mixt5.model.io.SafetensorsType;
import io.mixt5.model.io.StrictJson;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.card.CardFacts;
import io.mixt5.train.quickstart.Quickstart;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class ExportCommandTest {
    private static final String SWITCH = "SwitchTransformersForConditionalGeneration";

    @TempDir
    static Path models;
    @TempDir
    private Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeAll
    static void makeModels() {
        Path data = models.resolve("data");
        new Quickstart(12, 3, 6, 300).write(data, 5);
        MixtureConfig mixture = new MixtureConfig();
        mixture.activateMoe = true;
        mixture.numLocalExperts = 4;
        mixture.numExpertsPerTok = 1;
        mixture.moeLayerStep = 2;
        mixture.routerGate = Route.Gate.RAW;
        try (T5Model dense = T5Model.random(shape(), Device.of("cpu"), 1);
                T5Model moe = T5Model.random(shape().with(mixture), Device.of("cpu"), 1);
                T5Tokenizer tokenizer = T5Tokenizer.load(data.resolve(Quickstart.VOCABULARY))) {
            dense.save(models.resolve("dense"));
            tokenizer.withAddedTokens(List.of("[new]")).save(models.resolve("dense"));
            moe.save(models.resolve("moe"));
            StrictJson.write(models.resolve("moe").resolve(CardFacts.FILE), new CardFacts("mine", "Made by hand.", null,
                    null, new CardFacts.Scores("official", 12.5, 25, 3), null));
        }
    }

    private static T5Config shape() {
        T5Config shape = new T5Config();
        shape.vocabSize = 512;
        shape.dModel = 16;
        shape.dKv = 4;
        shape.dFf = 24;
        shape.numHeads = 2;
        shape.numLayers = 2;
        return shape;
    }

    @Test
    void aPlainExportIsTheModelItsTokenizerAndACard() throws Exception {
        assertEquals(0, export("dense"), err.toString());
        for (String file : List.of("model.safetensors", "config.json", "spiece.model", "tokenizer_config.json")) {
            assertArrayEquals(Files.readAllBytes(models.resolve("dense").resolve(file)),
                    Files.readAllBytes(target().resolve(file)), file);
        }
        assertTrue(Files.readString(target().resolve("README.md")).contains("A copy of dense in another form."));
        assertTrue(out.toString().contains("model.safetensors"), out.toString());
        try (T5Tokenizer tokenizer = T5Tokenizer.load(target())) {
            assertTrue(tokenizer.idOf("[new]") > 0);
        }
    }

    @Test
    void aMixtureGetsTransformersNamesAndKeepsWhatItsCardSays() throws Exception {
        assertEquals(0, export("moe", "--naming", "Switch"), err.toString());
        assertEquals(SWITCH, StrictJson.readObject(target().resolve("config.json")).path("architectures").path(0)
                .asText());
        try (SafetensorsFile file = SafetensorsFile.open(target().resolve("model.safetensors"))) {
            assertTrue(file.has("encoder.block.1.layer.1.mlp.router.classifier.weight"));
        }
        String card = Files.readString(target().resolve("README.md"));
        assertTrue(card.contains("Made by hand.") && card.contains("| exact match | 12.50 |"), card);
        assertTrue(card.contains("import AutoTokenizer, " + SWITCH), card);
        assertTrue(out.toString().contains("no tokenizer"), out.toString());
    }

    @Test
    void halvesAndShards() throws Exception {
        assertEquals(0, export("dense", "--dtype", "bfloat16", "--max-shard-size", "10KB"), err.toString());
        assertFalse(Files.exists(target().resolve("model.safetensors")));
        List<Path> shards;
        try (Stream<Path> files = Files.list(target())) {
            shards = files.filter(file -> file.toString().endsWith(".safetensors")).sorted().toList();
        }
        assertEquals("model-00001-of-0000" + shards.size() + ".safetensors",
                shards.getFirst().getFileName().toString());
        try (SafetensorsFile file = SafetensorsFile.open(shards.getFirst())) {
            assertEquals(List.of("shared.weight"), file.names());
            assertEquals(SafetensorsType.BF16, file.info("shared.weight").type());
        }
    }

    @Test
    void refusesInOneSentenceAndLeavesNothing() throws Exception {
        refuses("it has no mixtures of experts; write it as T5", "dense", "--naming", "switch");
        refuses("'t5x' is none of mixt5 or switch", "dense", "--naming", "t5x");
        refuses("'int8' is none of float32", "dense", "--dtype", "int8");
        refuses("'big' is no size", "dense", "--max-shard-size", "big");
        refuses("more than any file system holds", "dense", "--max-shard-size", "999999999999999999TB");
        refuses("at least 1 byte", "dense", "--max-shard-size", "0");
        refuses("there is no directory", "absent");
        Files.createDirectories(target());
        Files.writeString(target().resolve("mine.txt"), "mine");
        refuses("is not empty", "dense");
        assertEquals("mine", Files.readString(target().resolve("mine.txt")));
    }

    private void refuses(String reason, String model, String... options) {
        err.getBuffer().setLength(0);
        boolean there = Files.exists(target());
        assertEquals(2, export(model, options));
        assertTrue(err.toString().contains(reason), err.toString());
        assertEquals(there, Files.exists(target()));
    }

    private Path target() {
        return directory.resolve("target");
    }

    private int export(String model, String... options) {
        List<String> arguments = new ArrayList<>(
                List.of("--model", models.resolve(model).toString(), "--to", target().toString()));
        arguments.addAll(List.of(options));
        return new CommandLine(new ExportCommand()).setExecutionExceptionHandler(new UserErrorHandler())
                .setOut(new PrintWriter(out)).setErr(new PrintWriter(err)).execute(arguments.toArray(String[]::new));
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, Device.of("cpu").liveTensors());
    }
}
