package io.mixt5.train.run;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.train.config.TrainConfig;
import io.mixt5.train.quickstart.Quickstart;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;

/** Runs of a tiny model on a little data, in a directory. */
final class RunFixture {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Path directory;
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    RunFixture(Path directory) {
        this.directory = directory;
        new Quickstart(12, 2, 6, 300).write(directory.resolve("data"), 5);
    }

    /** A run that saves after every step, in {@code name}; {@code keys} come over those given here. */
    TrainConfig config(String name, String keys) throws IOException {
        Path file = directory.resolve(name + ".json");
        ObjectNode tree = (ObjectNode) MAPPER.readTree(
                """
                        {"model_config": {"preset": "tiny", "vocab_size": 512, "d_model": 16, "d_kv": 4, "d_ff": 16, "num_layers": 1},
                         "tokenizer_name_or_path": "data/spiece.model", "train_file": "data/train.json", "save_dir": "%s",
                         "device": "cpu", "learning_rate": 0.01, "lr_scheduler_type": "constant", "save_strategy": "steps",
                         "save_steps": 1}
                        """
                        .formatted(directory.resolve(name)));
        tree.setAll((ObjectNode) MAPPER.readTree("{" + keys.replace('\'', '"') + "}"));
        Files.writeString(file, tree.toString());
        return TrainConfig.load(file);
    }

    /** Runs until {@code stop}, asked after each step; whether the end was reached. */
    boolean run(TrainConfig config, BooleanSupplier stop) {
        try (TrainingRun run = new TrainingRun(config, new PrintStream(printed, true, StandardCharsets.UTF_8))) {
            return run.run(stop);
        }
    }

    boolean run(String name, String keys) throws IOException {
        return run(config(name, keys), () -> false);
    }

    Path directory(String name) {
        return directory.resolve(name);
    }

    /** What has been printed since this was last called. */
    String printed() {
        String text = printed.toString(StandardCharsets.UTF_8);
        printed.reset();
        return text;
    }
}
