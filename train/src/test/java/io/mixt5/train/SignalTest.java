package io.mixt5.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.train.quickstart.Quickstart;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process of its own, ended by SIGTERM in the middle of its training. */
class SignalTest {
    private static final long PATIENCE = Duration.ofMinutes(2).toNanos();

    @TempDir
    Path directory;

    @Test
    void savesAndExitsWith143AndGoesOnLater() throws Exception {
        new Quickstart(12, 2, 6, 300).write(directory, 5);
        Process first = start(100_000);
        Path metrics = directory.resolve("run/metrics.jsonl");
        long deadline = System.nanoTime() + PATIENCE;
        while (!Files.exists(metrics) || Files.readAllLines(metrics).size() < 2) {
            assertTrue(first.isAlive() && System.nanoTime() < deadline, "the run did not get to its second step");
            Thread.sleep(20);
        }
        first.toHandle().destroy(); // Process.destroy would close the streams too
        String printed = new String(first.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(first.waitFor(2, TimeUnit.MINUTES));
        assertEquals(143, first.exitValue(), printed);
        assertTrue(printed.contains("stopped after step"), printed);
        int steps = Files.readAllLines(metrics).size();
        assertTrue(Files.readString(directory.resolve("run/checkpoint-" + steps + "/trainer_state.json")).contains("\"step\" : " + steps),
                printed);

        Process second = start(steps + 1);
        String more = new String(second.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, second.waitFor(), more);
        assertEquals(steps + 1, Files.readAllLines(metrics).size());
    }

    private Process start(int maxSteps) throws IOException {
        Path config = directory.resolve("config.json");
        Files.writeString(config,
                """
                        {"model_config": {"preset": "tiny", "vocab_size": 512, "d_model": 16, "d_kv": 4, "d_ff": 16, "num_layers": 1},
                         "tokenizer_name_or_path": "spiece.model", "train_file": "train.json", "optim": "adafactor", "learning_rate": 0.01,
                         "lr_scheduler_type": "constant", "max_steps": %d, "logging_steps": 1, "save_dir": "%s"}
                        """
                        .formatted(maxSteps, directory.resolve("run")));
        return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--add-modules",
                "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "-cp",
                System.getProperty("java.class.path"),
                "io.mixt5.train.Main", config.toString()).redirectErrorStream(true).start();
    }
}
