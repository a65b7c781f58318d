package io.mixt5.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Training runs in processes of their own: of the packaged jar where system property {@code mixt5.jar} names it, else of the
 * same main class. The launcher starts no further JVM, as this one has all that it needs, so that a signal hits the run.
 */
final class TrainProcess {
    private TrainProcess() {
    }

    /** A configuration of a tiny model over the data in {@code data}, with all noise on, and further keys. */
    static Path config(Path file, Path data, Path saveDir, String keys) throws IOException {
        return Files.writeString(file,
                """
                        {"model_config": {"preset": "tiny", "vocab_size": 512, "d_model": 16, "d_kv": 4, "d_ff": 16, "num_layers": 1},
                         "tokenizer_name_or_path": "%s", "train_file": "%s", "save_dir": "%s", "device": "cpu", "dropout_rate": 0.1,
                         "per_device_train_batch_size": 4, "max_sequence_length": 24, "max_target_length": 8, %s}
                        """
                        .formatted(data.resolve("spiece.model"), data.resolve("train.json"), saveDir, keys));
    }

    /** What starts a run; JVM options come first. */
    static List<String> command(List<String> options, Path config) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC", "-Xmx256m"));
        command.addAll(options);
        String jar = System.getProperty("mixt5.jar");
        command.addAll(jar == null
                ? List.of("-cp", System.getProperty("java.class.path"), "io.mixt5.train.Main")
                : List.of("-jar", jar));
        command.add(config.toString());
        return command;
    }

    static Process start(Path config, Path output) throws IOException {
        return new ProcessBuilder(command(List.of(), config)).redirectErrorStream(true)
                .redirectOutput(output.toFile()).start();
    }
}
