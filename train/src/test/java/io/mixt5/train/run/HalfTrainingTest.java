package io.mixt5.train.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.mixt5.engine.Device;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.Tensor;
import io.mixt5.model.Precision;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.train.config.TrainConfig;
import io.mixt5.train.data.TextPair;
import io.mixt5.train.optim.AdamWOptimizer;
import io.mixt5.train.optim.Optimizer;
import io.mixt5.train.optim.Schedule;
import io.mixt5.train.quickstart.Quickstart;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Updates and runs in the half types, on the reference device. */
class HalfTrainingTest {
    private static final List<List<TextPair>> PAIRS = List.of(List.of(
            new TextPair("a", new int[]{5, 9, 3, 7}, new int[]{4, 6, 1}),
            new TextPair("b", new int[]{8, 2}, new int[]{11, 1})));

    @TempDir
    static Path data;
    @TempDir
    Path directory;
    private final Device device = Device.of("reference");
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    @BeforeAll
    static void makeData() {
        new Quickstart(6, 2, 3, 300).write(data, 5);
    }

    @Test
    void anOverflowSkipsTheStepAndLeavesEverythingElse() {
        try (T5Model model = model(Precision.FP16); Optimizer optimizer = optimizer(model)) {
            Map<String, double[]> before = contents(model, optimizer);
            Trainer trainer = trainer(model, optimizer, new LossScale(0x1p60, 5, 3));
            Trainer.Update update = trainer.update(0, PAIRS);
            assertFalse(Double.isFinite(update.norm()), "norm " + update.norm());
            assertTrue(Double.isFinite(update.loss()));
            assertEquals(new LossScale(0x1p59, 0, 4), trainer.lossScale());
            Map<String, double[]> after = contents(model, optimizer);
            before.forEach((name, values) -> assertArrayEquals(values, after.get(name), name));
        }
    }

    /** What was skipped leaves no trace in the next step: it gives what it gives without one before it. */
    @Test
    void aStepAfterAnOverflowIsAsIfThereHadBeenNone() {
        Map<String, double[]> expected;
        try (T5Model model = model(Precision.FP16); Optimizer optimizer = optimizer(model)) {
            trainer(model, optimizer, new LossScale(64, 0, 0)).update(0, PAIRS);
            expected = contents(model, optimizer);
        }
        try (T5Model model = model(Precision.FP16); Optimizer optimizer = optimizer(model)) {
            trainer(model, optimizer, new LossScale(0x1p60, 0, 0)).update(0, PAIRS);
            Trainer trainer = trainer(model, optimizer, new LossScale(64, 0, 1));
            trainer.update(0, PAIRS);
            assertEquals(new LossScale(64, 1, 1), trainer.lossScale());
            Map<String, double[]> actual = contents(model, optimizer);
            expected.forEach((name, values) -> assertArrayEquals(values, actual.get(name), name));
        }
    }

    /** The scale is divided out before clipping: norms are those of FP32, and do not depend on it. */
    @Test
    void theNormIsThatOfTheLossItself() {
        double expected = norm(Precision.FP32, null);
        assertEquals(expected, norm(Precision.FP16, new LossScale(16, 0, 0)), 0.01 * expected);
        assertEquals(expected, norm(Precision.FP16, new LossScale(1024, 0, 0)), 0.01 * expected);
        assertEquals(expected, norm(Precision.BF16, null), 0.05 * expected);
    }

    private double norm(Precision precision, LossScale scale) {
        try (T5Model model = model(precision); Optimizer optimizer = optimizer(model)) {
            return trainer(model, optimizer, scale).update(0, PAIRS).norm();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"fp16", "bf16"})
    void aStoppedRunGoesOnAsIfItHadNotStopped(String precision) throws IOException {
        assertTrue(run("whole", precision, Integer.MAX_VALUE));
        for (int stop = 1; stop < 4; stop++) {
            String name = "stopped-" + stop;
            assertFalse(run(name, precision, stop));
            assertTrue(run(name, precision, Integer.MAX_VALUE));
            for (String file : List.of("model.safetensors", "optimizer.safetensors", "trainer_state.json")) {
                assertArrayEquals(Files.readAllBytes(directory.resolve("whole/checkpoint-4/" + file)),
                        Files.readAllBytes(directory.resolve(name + "/checkpoint-4/" + file)), file);
            }
        }
        JsonNode line = new ObjectMapper()
                .readTree(Files.readAllLines(directory.resolve("whole/metrics.jsonl")).getLast());
        JsonNode state = new ObjectMapper()
                .readTree(directory.resolve("whole/checkpoint-4/trainer_state.json").toFile());
        assertEquals(precision.equals("fp16"), state.has("loss_scale"));
        if (precision.equals("fp16")) {
            int skipped = state.get("loss_scale").get("skipped").asInt();
            assertEquals(state.get("loss_scale").get("scale"), line.get("loss_scale"));
            assertEquals(skipped, line.get("skipped_steps").asInt());
            assertTrue(printed.toString(StandardCharsets.UTF_8).contains("skipped " + skipped + " of 4 steps"));
        }
    }

    private boolean run(String name, String precision, int steps) throws IOException {
        Path config = directory.resolve(name + ".json");
        Files.writeString(config, """
                {"model_config": {"preset": "tiny", "vocab_size": 512, "d_model": 16, "d_kv": 8, "d_ff": 24},
                 "device": "reference", "precision": "%s", "learning_rate": 0.01, "logging_steps": 1, "max_steps": 4,
                 "per_device_train_batch_size": 2, "max_sequence_length": 12, "max_target_length": 4,
                 "max_train_samples": 8, "train_file": "%s", "tokenizer_name_or_path": "%s", "save_dir": "%s"}
                """.formatted(precision, data.resolve("train.json"), data.resolve("spiece.model"),
                directory.resolve(name)));
        AtomicInteger done = new AtomicInteger();
        try (TrainingRun run = new TrainingRun(TrainConfig.load(config),
                new PrintStream(printed, true, StandardCharsets.UTF_8))) {
            return run.run(() -> done.incrementAndGet() >= steps);
        }
    }

    private T5Model model(Precision precision) {
        T5Config shape = T5Config.preset("tiny");
        shape.vocabSize = 40;
        shape.dModel = 16;
        shape.dKv = 8;
        shape.dFf = 24;
        return T5Model.random(shape, device, 3).compute(precision);
    }

    private static Optimizer optimizer(T5Model model) {
        return new AdamWOptimizer(model.parameters().all(), p -> 0.1, 0.9, 0.999, 1e-8);
    }

    private static Trainer trainer(T5Model model, Optimizer optimizer, LossScale saved) {
        TrainConfig config = new TrainConfig();
        return new Trainer(model, optimizer, new Schedule(Schedule.Kind.CONSTANT, 0.01, 0, 10), config, saved);
    }

    private static Map<String, double[]> contents(T5Model model, Optimizer optimizer) {
        Map<String, double[]> contents = new LinkedHashMap<>();
        for (Parameter parameter : model.parameters().all()) {
            contents.put(parameter.name(), parameter.value().toDoubles());
        }
        for (Map.Entry<String, Tensor> entry : optimizer.state().entrySet()) {
            contents.put(entry.getKey(), entry.getValue().toDoubles());
        }
        return contents;
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
