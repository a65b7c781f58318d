package io.mixt5.train.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Device;
import io.mixt5.engine.UserException;
import io.mixt5.model.io.StrictJson;
import io.mixt5.train.quickstart.Quickstart;
import io.mixt5.train.run.RunDirectory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole comparisons of a few steps. */
class ComparisonTest {
    private static final String EXPERIMENT = """
            {"save_dir": "SAVE", "keep_models": false, "seeds": [1, 2],
             "shared": {"train_file": "train.json", "validation_file": "validation.json",
               "tokenizer_name_or_path": "spiece.model", "max_eval_samples": 3, "generation_max_length": 4,
               "per_device_train_batch_size": 4, "max_steps": 2, "save_strategy": "no", "num_print_samples": 0},
             "pretrain": {"model_config": {"preset": "tiny", "vocab_size": 512, "d_model": 16, "d_kv": 4, "d_ff": 16},
               "max_steps": 3, "evaluation_strategy": "no", "save_strategy": "epoch"},
             "variants": {"pre-train only": {"train": false}, "simple": {},
               "MoE": {"enable_moe": true, "noise_lambda": 0,
                 "moe_config": {"num_local_experts": 2, "num_experts_per_tok": 1, "num_moe_layers": 1}}},
             "grid": {"of": "MoE", "num_moe_layers": [0, 1], "noise_lambda": [0]}}
            """;

    @TempDir
    static Path data;
    @TempDir
    private Path directory;

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    @BeforeAll
    static void makeData() {
        new Quickstart(12, 3, 6, 300).write(data, 5);
    }

    @Test
    void goesOnWhereItWasStoppedAndGivesTheSame() throws IOException {
        assertTrue(run("whole", Integer.MAX_VALUE));
        AtomicInteger parts = new AtomicInteger();
        while (!run("parts", 3)) {
            assertTrue(parts.incrementAndGet() < 100);
            assertFalse(Files.exists(directory.resolve("parts/results.md")));
        }
        assertTrue(parts.get() > 2);
        for (String file : new String[]{"results.json", "results.md", "moe/seed-2/predictions.json"}) {
            assertEquals(Files.readString(directory.resolve("whole").resolve(file)),
                    Files.readString(directory.resolve("parts").resolve(file)), file);
        }
        var results = StrictJson.readObject(directory.resolve("whole/results.json"));
        assertEquals(3, results.path("fine_tuning").size());
        assertEquals(2, results.path("moe_layers_and_lambda").size());
        assertEquals("1 2", results.at("/moe_layers_and_lambda/0/moe_layers") + " "
                + results.at("/moe_layers_and_lambda/1/moe_layers"));
        assertEquals(1 + 2 + 2 + 2, results.path("runs").size());
        assertTrue(Files.exists(directory.resolve("whole/pretrain/checkpoint-3/model.safetensors")));
        assertNull(new RunDirectory(directory.resolve("whole/moe/seed-1")).newest(), "models were not to be kept");

        printed.reset();
        assertTrue(run("whole", 1));
        assertFalse(text().contains("=="), "nothing is run again: " + text());
        assertTrue(text().contains("| pre-train only | 0 | 1 |"), text());
    }

    @Test
    void doesNotTakeResultsOfOtherSettingsForItsOwn() throws IOException {
        assertFalse(run("a", 5));
        String other = EXPERIMENT.replace("\"max_steps\": 3", "\"max_steps\": 4");
        UserException e = assertThrows(UserException.class, () -> run(other, "a", 5));
        assertTrue(e.getMessage().contains("pretrain holds a run whose 'max_steps' was 3, not 4"), e.getMessage());
    }

    @Test
    void findsMistakesOfTheLastRunBeforeTheFirst() {
        for (String[] mistake : new String[][]{{"\"num_local_experts\": 2", "\"num_local_experts\": 0", "'MoE'"},
                {"\"simple\": {}", "\"simple\": {\"max_stepz\": 1}", "max_stepz"},
                {"\"validation_file\": \"validation.json\",", "", "validation_file"},
                {"\"save_strategy\": \"epoch\"", "\"save_strategy\": \"no\"", "save_strategy must not be no"}}) {
            UserException e = assertThrows(UserException.class,
                    () -> run(EXPERIMENT.replace(mistake[0], mistake[1]), "a", 100));
            assertTrue(e.getMessage().contains(mistake[2]), e.getMessage());
            assertFalse(Files.exists(directory.resolve("a/pretrain")));
        }
    }

    private boolean run(String name, int asks) throws IOException {
        return run(EXPERIMENT, name, asks);
    }

    /** Whether the comparison reached its end before the {@code asks}-th time that it asked whether to stop. */
    private boolean run(String experiment, String name, int asks) throws IOException {
        Path file = data.resolve(name + ".json");
        Files.writeString(file, experiment.replace("SAVE", directory.resolve(name).toString()));
        AtomicInteger asked = new AtomicInteger();
        return new Comparison(Experiment.read(file), new PrintStream(printed, true, StandardCharsets.UTF_8))
                .run(() -> asked.incrementAndGet() >= asks);
    }

    private String text() {
        return printed.toString(StandardCharsets.UTF_8);
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, Device.of("cpu").liveTensors());
    }
}
