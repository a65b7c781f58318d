package io.mixt5.train.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.train.card.CardFacts;
import io.mixt5.train.config.TrainConfig;
import io.mixt5.train.quickstart.Quickstart;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The cards that runs leave beside their models. */
class RunCardTest {
    @TempDir
    private Path directory;

    @Test
    void aMixturesCardTellsScoresAndRoutingAndTheSameEveryTime() throws IOException {
        String keys = "'max_steps': 2, 'evaluation_strategy': 'steps', 'eval_steps': 1, 'enable_moe': true,"
                + " 'moe_config': {'num_local_experts': 3, 'num_experts_per_tok': 1, 'num_moe_layers': 1}";
        run("a/run", keys);
        run("b/run", keys);
        String card = Files.readString(directory.resolve("a/run/best/README.md"));
        assertEquals(card, Files.readString(directory.resolve("b/run/best/README.md")));
        assertTrue(card.contains("# run\n\nTrained from random weights."), card);
        assertTrue(card.contains("| validation | validation.json | 18 |"), card);
        assertTrue(card.contains("model-index:") && card.contains("| exact match | "), card);
        assertTrue(card.contains("Measured on the first 18 validation questions"), card);
        assertFalse(card.contains(directory.toString()), card);
        CardFacts facts = CardFacts.read(directory.resolve("a/run/best"), null);
        assertEquals(2, facts.routing().layers().size());
        facts.routing().layers().forEach(layer -> {
            assertEquals(layer.tokens(), Arrays.stream(layer.counts()).sum());
            assertTrue(layer.entropy() > 0 && layer.entropy() <= Math.log(3) + 1e-6, layer.toString());
        });
    }

    @Test
    void aRunWithoutValidationLeavesACardWithoutScores() throws IOException {
        run("run", "'max_steps': 1, 'evaluation_strategy': 'no'");
        String card = Files.readString(directory.resolve("run/last/README.md"));
        assertFalse(card.contains("model-index"), card);
        assertTrue(card.contains("| updates | 1 |"), card);
    }

    private void run(String name, String keys) throws IOException {
        Path data = directory.resolve("data");
        new Quickstart(12, 3, 6, 300).write(data, 5);
        Path config = directory.resolve("config.json");
        Files.writeString(config, ("{" + keys + ", 'train_file': 'data/" + Quickstart.TRAIN
                + "', 'validation_file': 'data/"
                + Quickstart.VALIDATION + "', 'tokenizer_name_or_path': 'data/" + Quickstart.VOCABULARY + "',"
                + " 'model_config': {'preset': 'tiny', 'vocab_size': 512, 'd_model': 32, 'd_kv': 8, 'd_ff': 48},"
                + " 'save_dir': '" + directory.resolve(name) + "', 'device': 'cpu', 'max_train_samples': 16}")
                .replace('\'', '"'));
        try (TrainingRun run = new TrainingRun(TrainConfig.load(config),
                new PrintStream(new ByteArrayOutputStream()))) {
            assertTrue(run.run(() -> false));
        }
    }
}
