package io.mixt5.train.run;

import io.mixt5.train.config.TrainConfig;
import io.mixt5.train.config.TrainConfig.Dataset;
import io.mixt5.train.quickstart.Quickstart;
import java.nio.file.Path;

/**
 * The files that a run reads. The quickstart's, which the project makes itself, are written into the run's directory.
 *
 * @param tokenizer directory or SentencePiece model
 * @param train SQuAD file
 * @param validation SQuAD file, or null
 */
record RunInputs(Path tokenizer, Path train, Path validation) {
    /** Of the one data set that everybody means by this name, whatever the run's own seed. */
    private static final long QUICKSTART_SEED = 42;

    static RunInputs of(TrainConfig config, RunDirectory directory) {
        if (config.dataset == Dataset.SQUAD) {
            return new RunInputs(config.tokenizerNameOrPath, config.trainFile, config.validationFile);
        }
        Path data = directory.data();
        Quickstart.DEFAULT.write(data, QUICKSTART_SEED);
        return new RunInputs(data.resolve(Quickstart.VOCABULARY), data.resolve(Quickstart.TRAIN),
                data.resolve(Quickstart.VALIDATION));
    }
}
