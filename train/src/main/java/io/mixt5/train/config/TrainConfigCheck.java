package io.mixt5.train.config;

import io.mixt5.engine.UserException;
import io.mixt5.model.io.NearestWord;
import io.mixt5.model.io.UserFiles;
import io.mixt5.train.config.TrainConfig.Dataset;
import io.mixt5.train.config.TrainConfig.Strategy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Checks the values of a {@link TrainConfig}: each alone, then together, then the files that they name. */
final class TrainConfigCheck {
    private final TrainConfig config;
    private final Path file;

    TrainConfigCheck(TrainConfig config, Path file) {
        this.config = config;
        this.file = file;
    }

    /** Throws a {@link UserException} at the first fault. */
    void run() {
        checkCounts();
        checkRates();
        checkTogether();
        checkDevice();
        checkInputs();
        checkResume();
    }

    private void checkResume() {
        List<Path> words = List.of(TrainConfig.RESUME_AUTO, TrainConfig.RESUME_NEVER);
        if (!words.contains(config.resume) && !Files.isDirectory(config.resume)) {
            throw new UserException(
                    "key 'resume' in " + file + " must be auto, never or the directory of a checkpoint, "
                            + "but there is no directory " + config.resume
                            + NearestWord.of(config.resume.toString(), words.stream().map(Path::toString).toList())
                                    .map(word -> "; did you mean " + word + "?").orElse(""));
        }
    }

    private void checkCounts() {
        atLeast(1, "per_device_train_batch_size", config.perDeviceTrainBatchSize);
        atLeast(1, "per_device_eval_batch_size", config.perDeviceEvalBatchSize);
        atLeast(1, "gradient_accumulation_steps", config.gradientAccumulationSteps);
        atLeast(1, "max_sequence_length", config.maxSequenceLength);
        atLeast(1, "max_target_length", config.maxTargetLength);
        atLeast(2, "generation_max_length", config.generationMaxLength);
        atLeast(1, "generation_num_beams", config.generationNumBeams);
        atLeast(1, "max_train_samples", config.maxTrainSamples);
        atLeast(1, "max_eval_samples", config.maxEvalSamples);
        atLeast(1, "eval_steps", config.evalSteps);
        atLeast(1, "save_steps", config.saveSteps);
        atLeast(1, "save_total_limit", config.saveTotalLimit);
        atLeast(1, "logging_steps", config.loggingSteps);
        atLeast(0, "warmup_steps", config.warmupSteps);
        atLeast(0, "num_print_samples", config.numPrintSamples);
        require(config.maxSteps == -1 || config.maxSteps >= 1, "max_steps", "at least 1, or -1 for none",
                config.maxSteps);
    }

    private void checkRates() {
        positive("num_train_epochs", config.numTrainEpochs);
        positive("learning_rate", config.learningRate);
        require(config.targetExactMatch == null || config.targetExactMatch > 0 && config.targetExactMatch <= 100,
                "target_exact_match", "above 0 and at most 100", config.targetExactMatch);
        positive("adam_epsilon", config.adamEpsilon);
        share("adam_beta1", config.adamBeta1);
        share("adam_beta2", config.adamBeta2);
        share("dropout_rate", config.dropoutRate);
        notNegative("weight_decay", config.weightDecay);
        notNegative("max_grad_norm", config.maxGradNorm);
        positive("max_usable_grad_norm", config.maxUsableGradNorm);
        notNegative("noise_lambda", config.noiseLambda);
        require(config.warmupRatio >= 0 && config.warmupRatio <= 1, "warmup_ratio", "between 0 and 1",
                config.warmupRatio);
    }

    private void checkTogether() {
        needed("save_dir", config.saveDir);
        if (config.dataset == Dataset.SQUAD) {
            needed("train_file", config.trainFile);
        } else {
            unneeded("train_file", config.trainFile);
            unneeded("validation_file", config.validationFile);
            unneeded("tokenizer_name_or_path", config.tokenizerNameOrPath);
        }
        if (config.enableMoe != (config.moeConfig != null)) {
            throw new UserException("keys 'enable_moe' and 'moe_config' in " + file
                    + " belong together: set both, or remove 'moe_config'");
        }
        if (config.pretrainedModelNameOrPath == null && config.modelConfig == null) {
            throw new UserException(file + " names no model: give 'pretrained_model_name_or_path' to start from one, "
                    + "or 'model_config' for random weights");
        }
        if (config.pretrainedModelNameOrPath != null && config.modelConfig != null) {
            throw new UserException(file + " has both 'pretrained_model_name_or_path' and 'model_config', but the "
                    + "shape of a pre-trained model is its own: remove one");
        }
        if (config.tokenizerNameOrPath == null && config.dataset == Dataset.SQUAD) {
            throw new UserException("key 'tokenizer_name_or_path' is missing in " + file
                    + ", as there is no pre-trained model to take the tokenizer from");
        }
        if (config.evaluationStrategy != Strategy.NO && !config.hasValidation()) {
            throw new UserException("key 'validation_file' is missing in " + file
                    + ", as 'evaluation_strategy' asks for scores");
        }
    }

    private void checkDevice() {
        named("device", () -> Devices.open(config.device));
        named("precision", () -> config.precision.requireOn(Devices.open(config.device)));
    }

    private void checkInputs() {
        Path pretrained = config.pretrainedModelNameOrPath;
        if (pretrained != null && !Files.isDirectory(pretrained)) {
            throw new UserException("key 'pretrained_model_name_or_path' in " + file + " must be a directory with "
                    + "config.json and model.safetensors, as nothing is downloaded: there is no directory "
                    + pretrained);
        }
        if (config.dataset != Dataset.SQUAD) {
            return;
        }
        named("tokenizer_name_or_path", () -> UserFiles.requirePath(config.tokenizerNameOrPath));
        named("train_file", () -> UserFiles.requireFile(config.trainFile));
        if (config.validationFile != null) {
            named("validation_file", () -> UserFiles.requireFile(config.validationFile));
        }
    }

    private void named(String key, Runnable check) {
        try {
            check.run();
        } catch (UserException e) {
            throw new UserException("key '" + key + "' in " + file + ": " + e.getMessage(), e);
        }
    }

    private void needed(String key, Object value) {
        if (value == null) {
            throw new UserException("key '" + key + "' is missing in " + file);
        }
    }

    private void unneeded(String key, Object value) {
        if (value != null) {
            throw new UserException("key '" + key + "' in " + file + " has no place beside dataset "
                    + config.dataset.name().toLowerCase(Locale.ROOT) + ", which brings its own: remove it");
        }
    }

    private void atLeast(int least, String key, Integer value) {
        require(value == null || value >= least, key, "at least " + least, value);
    }

    private void positive(String key, Double value) {
        require(value == null || value > 0 && Double.isFinite(value), key, "above 0", value);
    }

    private void notNegative(String key, double value) {
        require(value >= 0 && Double.isFinite(value), key, "at least 0", value);
    }

    private void share(String key, Double value) {
        require(value == null || value >= 0 && value < 1, key, "at least 0 and below 1", value);
    }

    private void require(boolean holds, String key, String range, Object found) {
        if (!holds) {
            throw new UserException("key '" + key + "' in " + file + " must be " + range + ", found " + found);
        }
    }
}
