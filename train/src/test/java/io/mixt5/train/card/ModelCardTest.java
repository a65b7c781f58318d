package io.mixt5.train.card;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.op.Route;
import io.mixt5.model.CheckpointNaming;
import io.mixt5.model.MixtureConfig;
import io.mixt5.model.RoutingFigures;
import io.mixt5.model.SaveOptions;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelCardTest {
    private static final SaveOptions SWITCH = SaveOptions.DEFAULT.withNaming(CheckpointNaming.SWITCH_TRANSFORMERS);

    @TempDir
    private Path directory;
    private final Locale locale = Locale.getDefault();

    /** The whole card, which anybody may look at in the resources. */
    @Test
    void aMixturesCardIsTheCommittedOne() throws IOException {
        Locale.setDefault(Locale.GERMANY);
        try (T5Model model = mixture();
                InputStream expected = ModelCardTest.class.getResourceAsStream("/card/mixture.md")) {
            assertEquals(new String(expected.readAllBytes(), StandardCharsets.UTF_8),
                    new ModelCard(model, SaveOptions.DEFAULT, facts()).text());
        }
    }

    @Test
    void aDenseModelsCardHasNoWordOfRoutingAndOpensInTransformers() {
        try (T5Model model = T5Model.random(shape(), Device.of("cpu"), 1)) {
            String text = new ModelCard(model, SaveOptions.DEFAULT.withType(DType.BF16),
                    CardFacts.of("plain", "Trained from random weights.")).text();
            assertFalse(text.contains("Routing"), text);
            assertFalse(text.contains("model-index"), text);
            assertFalse(text.contains("## Data"), text);
            assertFalse(text.contains("\n\n\n"), text);
            assertTrue(text.startsWith("---\nlibrary_name: transformers\n"), text);
            assertTrue(text.contains("| weights on disk | bf16 |"), text);
            assertTrue(text.contains("import AutoTokenizer, T5ForConditionalGeneration"), text);
        }
    }

    @Test
    void aSwitchExportsCardNamesTransformersClass() {
        try (T5Model model = mixture()) {
            String text = new ModelCard(model, SWITCH, facts()).text();
            assertTrue(text.contains("import AutoTokenizer, SwitchTransformersForConditionalGeneration"), text);
            assertTrue(text.contains("- switch_transformers\n"), text);
        }
    }

    @Test
    void namesCannotBreakOutOfTheirPlaces() {
        CardFacts odd = new CardFacts("a\"b: |c\n# d", "Fine-tuned from <x>|y.", new CardFacts.Data("squad", "t|r", 1,
                "v: \"1\"", 2), null, new CardFacts.Scores("official", 1, 2, 3), null);
        try (T5Model model = T5Model.random(shape(), Device.of("cpu"), 1)) {
            String text = new ModelCard(model, SaveOptions.DEFAULT, odd).text();
            assertTrue(text.contains("- name: \"a\\\"b: |c\\n# d\"\n"), text);
            assertTrue(text.contains("\n# a\"b: \\|c # d\n"), text);
            assertTrue(text.contains("Fine-tuned from \\<x>\\|y."), text);
            assertTrue(text.contains("name: \"v: \\\"1\\\"\""), text);
            assertTrue(text.contains("| training | t\\|r | 1 |"), text);
        }
    }

    @Test
    void theFactsGoWithTheModelAndGiveTheSameBytesAgain() throws IOException {
        try (T5Model model = mixture()) {
            new ModelCard(model, SaveOptions.DEFAULT, facts()).write(directory);
            byte[] first = Files.readAllBytes(directory.resolve("README.md"));
            CardFacts read = CardFacts.read(directory, null);
            new ModelCard(model, SaveOptions.DEFAULT, read).write(directory);
            assertArrayEquals(first, Files.readAllBytes(directory.resolve("README.md")));
        }
        CardFacts unknown = CardFacts.of("a", "b");
        assertEquals(unknown, CardFacts.read(directory.resolve("elsewhere"), unknown));
    }

    @Test
    void aNameIsThePathsLastPart() {
        assertEquals("b", CardFacts.lastPart(Path.of("/a/b/./c/.."), "x"));
        assertEquals("x", CardFacts.lastPart(Path.of("/"), "x"));
        assertEquals("x", CardFacts.lastPart(null, "x"));
    }

    private static CardFacts facts() {
        Map<String, String> training = new LinkedHashMap<>();
        training.put("updates", "40");
        training.put("optimiser", "adamw");
        return new CardFacts("squad-moe", "Fine-tuned from t5-v1_1-small as a mixture of experts.",
                new CardFacts.Data("squad", "train-v1.1.json", 87_599, "dev-v1.1.json", 10_570), training,
                new CardFacts.Scores("official", 81.25, 88.004, 1500),
                new CardFacts.Routing("the first 256 validation questions with their answers, in evaluation", List.of(
                        new RoutingFigures("encoder.block.1.layer.1", new int[]{10, 20, 30, 40}, 100, 5, 1.25, 0.5, 1.1,
                                2),
                        new RoutingFigures("decoder.block.1.layer.2", new int[]{1, 1, 1, 1}, 4, 0, 1.3862, 0.25, 1,
                                1))));
    }

    private static T5Model mixture() {
        MixtureConfig mixture = new MixtureConfig();
        mixture.activateMoe = true;
        mixture.numLocalExperts = 4;
        mixture.numExpertsPerTok = 1;
        mixture.routerGate = Route.Gate.RAW;
        mixture.moeLayerStep = 2;
        return T5Model.random(shape().with(mixture), Device.of("cpu"), 1);
    }

    private static T5Config shape() {
        T5Config shape = new T5Config();
        shape.vocabSize = 40;
        shape.dModel = 16;
        shape.dKv = 4;
        shape.dFf = 24;
        shape.numHeads = 2;
        shape.numLayers = 2;
        return shape;
    }

    @AfterEach
    void leavesNothing() {
        Locale.setDefault(locale);
        assertEquals(0, Device.of("cpu").liveTensors());
    }
}
