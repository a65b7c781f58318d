package io.mixt5.train.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.mixt5.engine.Device;
import io.mixt5.engine.UserException;
import io.mixt5.train.config.TrainConfig;
import io.mixt5.train.quickstart.Quickstart;
import io.mixt5.train.squad.SquadPredictions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs over a little data. */
class TrainingRunTest {
    private static final String MODEL = """
            "model_config": {"preset": "tiny", "vocab_size": 512, "d_model": 32, "d_kv": 8, "d_ff": 48},
            """;

    @TempDir
    static Path data;
    @TempDir
    Path directory;

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    @BeforeAll
    static void makeData() {
        new Quickstart(12, 3, 6, 300).write(data, 5);
    }

    @Test
    void trainsValidatesAndSaves() throws IOException {
        assertTrue(run("a", "'max_steps': 4, 'logging_steps': 2, 'eval_steps': 2, 'evaluation_strategy': 'steps'",
                Integer.MAX_VALUE));
        List<String> lines = Files.readAllLines(directory.resolve("a/run/metrics.jsonl"));
        List<JsonNode> metrics = lines.stream().map(TrainingRunTest::json).toList();
        assertEquals(List.of(2, 2, 4, 4), metrics.stream().map(line -> line.get("step").asInt()).toList());
        assertTrue(metrics.get(0).get("loss").asDouble() > 0);
        assertTrue(metrics.get(1).get("exact_match").asDouble() >= 0);
        for (String file : List.of("checkpoint-4/model.safetensors", "checkpoint-4/config.json",
                "checkpoint-4/spiece.model",
                "checkpoint-4/optimizer.safetensors", "checkpoint-4/SHA256SUMS", "checkpoint-4/run_settings.json",
                "checkpoint-4/trainer_state.json", "best/model.safetensors", "best/generation_config.json")) {
            assertTrue(Files.exists(directory.resolve("a/run").resolve(file)), file);
        }
        assertEquals(18, SquadPredictions.read(directory.resolve("a/run/predictions.json")).size());
        assertTrue(printed.toString(StandardCharsets.UTF_8).contains("model: "),
                printed.toString(StandardCharsets.UTF_8));
    }

    @Test
    void validationTellsHowAlikeTheExpertsOfAMixtureAre() throws IOException {
        assertTrue(run("a", "'max_steps': 1, 'evaluation_strategy': 'steps', 'eval_steps': 1, 'enable_moe': true,"
                + " 'moe_config': {'num_local_experts': 3, 'num_experts_per_tok': 1, 'num_moe_layers': 1}",
                Integer.MAX_VALUE));
        JsonNode line = json(Files.readAllLines(directory.resolve("a/run/metrics.jsonl")).getLast());
        assertEquals(2, line.get("expert_similarity").size());
        assertTrue(Math.abs(line.get("expert_similarity").get("encoder.block.1.layer.1").asDouble()) < 0.2);
    }

    @Test
    void lossFalls() throws IOException {
        run("a", "'num_train_epochs': 4, 'logging_steps': 1, 'evaluation_strategy': 'no'", Integer.MAX_VALUE);
        List<JsonNode> metrics = Files.readAllLines(directory.resolve("a/run/metrics.jsonl")).stream()
                .map(TrainingRunTest::json).toList();
        double first = metrics.getFirst().get("loss").asDouble();
        double last = metrics.getLast().get("loss").asDouble();
        assertTrue(last < 0.6 * first, first + " -> " + last);
    }

    @Test
    void equalRunsLeaveEqualBytes() throws IOException {
        run("a", "'max_steps': 4", Integer.MAX_VALUE);
        run("b", "'max_steps': 4", Integer.MAX_VALUE);
        assertSameCheckpoints("a", "b");
    }

    @Test
    void aStoppedRunGoesOnAsIfItHadNotStopped() throws IOException {
        String keys = "'num_train_epochs': 2, 'gradient_accumulation_steps': 2, 'optim': 'adamw', 'save_strategy': 'epoch'";
        assertTrue(run("a", keys, Integer.MAX_VALUE));
        assertFalse(run("b", keys, 1));
        assertTrue(printed.toString(StandardCharsets.UTF_8).contains("stopped after step 1"));
        assertFalse(run("b", keys, 4));
        assertTrue(run("b", keys, Integer.MAX_VALUE));
        assertSameCheckpoints("a", "b");
    }

    @Test
    void aMixtureGoesOnFromAnyStepWithTheNoiseThatItWouldHaveDrawn() throws IOException {
        String keys = "'max_steps': 4, 'optim': 'adamw', 'evaluation_strategy': 'no', 'enable_moe': true, 'dropout_rate': 0.1,"
                + " 'moe_config': {'num_local_experts': 4, 'num_experts_per_tok': 1, 'num_moe_layers': 1,"
                + " 'capacity_policy': 'capacity', 'exploration': 'input_jitter', 'router_jitter_noise': 0.3,"
                + " 'expert_dropout_rate': 0.4, 'router_aux_loss_coef': 0.01}";
        assertTrue(run("a", keys, Integer.MAX_VALUE));
        for (int stop = 1; stop < 4; stop++) {
            String name = "stopped-" + stop;
            assertFalse(run(name, keys, stop));
            assertTrue(run(name, keys, Integer.MAX_VALUE));
            assertSameCheckpoints("a", name);
        }
        run("calm", keys.replace("0.3", "0.0"), Integer.MAX_VALUE);
        assertFalse(
                java.util.Arrays.equals(Files.readAllBytes(directory.resolve("a/run/checkpoint-4/model.safetensors")),
                        Files.readAllBytes(directory.resolve("calm/run/checkpoint-4/model.safetensors"))),
                "the jitter was not on");
    }

    @Test
    void neverResumesWhenToldSo() throws IOException {
        run("a", "'max_steps': 3", Integer.MAX_VALUE);
        run("a", "'max_steps': 2, 'resume': 'never'", Integer.MAX_VALUE);
        assertEquals(2,
                json(Files.readString(directory.resolve("a/run/checkpoint-2/trainer_state.json"))).get("step").asInt());
    }

    @Test
    void refusesToGoOnWithAnotherSeed() throws IOException {
        run("a", "'max_steps': 1", Integer.MAX_VALUE);
        UserException e = assertThrows(UserException.class,
                () -> run("a", "'max_steps': 2, 'seed': 7", Integer.MAX_VALUE));
        assertTrue(e.getMessage().contains("seed 42"), e.getMessage());
    }

    @Test
    void learnsToPadWhenAskedTo() throws IOException {
        assertTrue(run("a", "'max_steps': 1, 'label_padding': 'pad'", Integer.MAX_VALUE));
        assertTrue(run("b", "'max_steps': 1", Integer.MAX_VALUE));
        assertFalse(
                java.util.Arrays.equals(Files.readAllBytes(directory.resolve("a/run/checkpoint-1/model.safetensors")),
                        Files.readAllBytes(directory.resolve("b/run/checkpoint-1/model.safetensors"))));
    }

    private boolean run(String name, String keys, int steps) throws IOException {
        Path config = directory.resolve(name + ".json");
        Files.writeString(config, """
                {%s "device": "cpu", "optim": "adafactor", "learning_rate": 0.01, "lr_scheduler_type": "constant",
                 "train_file": "%s", "validation_file": "%s", "tokenizer_name_or_path": "%s", "save_dir": "%s", %s}
                """
                .formatted(MODEL, data.resolve("train.json"), data.resolve("validation.json"),
                        data.resolve("spiece.model"),
                        directory.resolve(name).resolve("run"), keys.replace('\'', '"'))
                .replace("\"optim\": \"adafactor\",", keys.contains("'optim'") ? "" : "\"optim\": \"adafactor\","));
        AtomicInteger done = new AtomicInteger();
        try (TrainingRun run = new TrainingRun(TrainConfig.load(config),
                new PrintStream(printed, true, StandardCharsets.UTF_8))) {
            return run.run(() -> done.incrementAndGet() >= steps);
        }
    }

    /** The last checkpoint, the best model and the answers. Runs have directories of one name, since cards hold it. */
    private void assertSameCheckpoints(String first, String second) throws IOException {
        Path one = directory.resolve(first).resolve("run");
        Path two = directory.resolve(second).resolve("run");
        Path newest = new RunDirectory(one).newest();
        int files = 0;
        for (String part : List.of(newest.getFileName().toString(), "best", "predictions.json")) {
            Path path = one.resolve(part);
            if (!Files.exists(path)) {
                continue;
            }
            try (var all = Files.walk(path)) {
                for (Path file : all.filter(Files::isRegularFile).toList()) {
                    Path other = two.resolve(one.relativize(file));
                    assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(other), file.toString());
                    files++;
                }
            }
        }
        assertTrue(files >= 7, files + " files compared");
    }

    private static JsonNode json(String text) {
        try {
            return new ObjectMapper().readTree(text);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, Device.of("cpu").liveTensors());
    }
}
