package io.mixt5.train.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.model.io.StrictJson;
import io.mixt5.train.config.TrainConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The example configurations: every key is known and has a value that can be, were the files there that they name. */
class ExamplesTest {
    @TempDir
    private Path directory;

    static List<Path> examples() throws IOException {
        Path root = Path.of("").toAbsolutePath();
        while (!Files.exists(root.resolve("LICENSE"))) {
            root = root.getParent();
        }
        try (var files = Files.list(root.resolve("train/examples"))) {
            return files.filter(file -> file.toString().endsWith(".json")).sorted().toList();
        }
    }

    @ParameterizedTest
    @MethodSource("examples")
    void canBeRun(Path example) throws IOException {
        ObjectNode tree = StrictJson.readObject(example);
        Path copy = directory.resolve(example.getFileName());
        if (tree.has("variants")) {
            tree.put("save_dir", directory.resolve("runs").toString());
            makeInputs((ObjectNode) tree.get("shared"));
            StrictJson.write(copy, tree);
            new Comparison(Experiment.read(copy), System.out).check();
        } else {
            makeInputs(tree);
            StrictJson.write(copy, tree);
            assertNotNull(TrainConfig.load(copy).saveDir);
        }
    }

    /** Something in the place of each file and directory that {@code keys} name. */
    private void makeInputs(ObjectNode keys) throws IOException {
        for (String key : List.of("train_file", "validation_file")) {
            if (keys.has(key)) {
                Path file = directory.resolve(keys.get(key).textValue());
                Files.createDirectories(file.getParent());
                Files.createFile(file);
            }
        }
        for (String key : List.of("pretrained_model_name_or_path", "reference_model_name_or_path")) {
            if (keys.has(key)) {
                Files.createDirectories(directory.resolve(keys.get(key).textValue()));
            }
        }
    }

    @Test
    void compareWhatTheySayTheyCompare() throws IOException {
        for (Path example : examples()) {
            if (!StrictJson.readObject(example).has("variants")) {
                continue;
            }
            Experiment experiment = Experiment.read(example);
            List<Experiment.Variant> named = experiment.variants().stream().filter(Experiment.Variant::named).toList();
            assertEquals(List.of("pre-train only", "simple fine-tuning", "MoE fine-tuning"),
                    named.stream().map(Experiment.Variant::name).toList(), example.toString());
            for (String key : List.of("max_steps", "max_train_samples", "num_train_epochs", "learning_rate")) {
                assertEquals(named.get(1).settings().get(key), named.get(2).settings().get(key),
                        key + " is the same for both ways of fine-tuning in " + example);
            }
            assertTrue(experiment.seeds().size() > 1, "a spread takes several seeds");
        }
    }
}
