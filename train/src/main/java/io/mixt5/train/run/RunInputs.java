package io.mixt5.train.run;

import io.mixt5.train.config.TrainConfig;
import io.mixt5.train.quickstart.Quickstart;
import java.nio.file.Path;

/**
 * The files that a run reads. The name {@code quickstart} stands for the data set and vocabulary that the project makes
 * itself, which are then written into the run's directory.
 *
 * @param tokenizer directory or SentencePiece model
 * @param train SQuAD file
 * @param validation SQuAD file, or null
 */
record RunInputs(Path tokenizer, Path train, Path validation) {
    /** Seed of the data set that everybody who says {@code quickstart} means. */
    private static final long QUICKSTART_SEED = 42;
    private static final Path QUICKSTART = Path.of("quickstart");

    static RunInputs of(TrainConfig config, RunDirectory directory) {
        if (!QUICKSTART.equals(config.trainFile)) {
            Path tokenizer = config.tokenizerNameOrPath != null ? config.tokenizerNameOrPath : config.pretrainedModelNameOrPath;
            return new RunInputs(tokenizer, config.trainFile, config.validationFile);
        }
        Path data = directory.data();
        Quickstart.write(data, QUICKSTART_SEED);
        return new RunInputs(data.resolve("spiece.model"), data.resolve("train.json"), data.resolve("validation.json"));
    }
}
