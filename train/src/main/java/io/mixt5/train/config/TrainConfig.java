package io.mixt5.train.config;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.UserException;
import io.mixt5.model.GenerationConfig;
import io.mixt5.model.MixtureConfig;
import io.mixt5.model.Precision;
import io.mixt5.model.T5Config;
import io.mixt5.model.io.StrictJson;
import io.mixt5.model.io.StrictJson.UnknownKeys;
import io.mixt5.model.io.UserFiles;
import io.mixt5.train.squad.SquadMetric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What a run is to do: the keys of the {@code config.json} that the command line takes, named as in MixT5 and in
 * Hugging Face's {@code TrainingArguments}. A key is the name of a field in snake case: {@code trainFile} is
 * {@code train_file}. {@code null} counts as not given; unknown keys, duplicates and values of another type are errors.
 *
 * <p>Relative paths of inputs are taken from the directory of the configuration file, so that a configuration and its
 * data move together; {@code save_dir} is taken from the working directory, so that results do not land among the
 * inputs.
 *
 * <p>Fields are set by {@link #load} or {@link #of} and not changed afterwards.
 */
@JsonAutoDetect(fieldVisibility = Visibility.PUBLIC_ONLY, getterVisibility = Visibility.NONE,
        isGetterVisibility = Visibility.NONE, setterVisibility = Visibility.NONE)
public final class TrainConfig {
    /** When to do something. */
    public enum Strategy {
        /** Never. */
        NO,
        /** Every so many updates. */
        STEPS,
        /** After every epoch. */
        EPOCH
    }

    /** Optimisers. */
    public enum Optim {
        /** Adam with decoupled weight decay (Loshchilov and Hutter 2019). */
        ADAMW,
        /** T5's own, updates scaled by the size of the parameters (Shazeer and Stern 2018). */
        ADAFACTOR
    }

    /** Forms of the learning rate over a run. */
    public enum Scheduler {
        /** Rises over the warm-up, then falls to 0 at the end. */
        LINEAR,
        /** Stays, without a warm-up. */
        CONSTANT,
        /** Rises over the warm-up, then stays. */
        CONSTANT_WITH_WARMUP,
        /** Rises over the warm-up, then falls with the root of the steps. */
        INVERSE_SQRT
    }

    /** Where the questions come from. */
    public enum Dataset {
        /** The files that the configuration names. */
        SQUAD,
        /** The data set and the vocabulary that the project makes itself, written into {@code save_dir/data}. */
        QUICKSTART
    }

    /** What to do about a step whose loss or gradients cannot be used. */
    public enum OnBadStep {
        /** End the run, saying where the fault comes from. */
        STOP,
        /** Leave weights and optimiser as they are, say the same, and go on with the next batch. */
        SKIP
    }

    /** What stands behind the end of a short target. */
    public enum LabelPadding {
        /** Nothing that counts in the loss. */
        IGNORE,
        /** Padding that the model learns to write, as the first MixT5 did. */
        PAD
    }

    // The model.

    /** Directory of a model in Hugging Face's form to start from; not given: random weights of {@code model_config}. */
    public Path pretrainedModelNameOrPath;
    /**
     * Shape of a model with random weights: {@code "tiny"}, {@code "small"} or {@code "base"}; the path of a model's
     * {@code config.json}; or an object of T5's keys over those of its key {@code preset} ({@code "small"} where it has
     * none). Needed where there is no {@code pretrained_model_name_or_path}, and only there.
     */
    public JsonNode modelConfig;
    /** Whether feed-forward layers are mixtures of experts, as {@code moe_config} says. Default false. */
    public boolean enableMoe;
    /**
     * Which layers are mixtures and how they route: an object of {@link MixtureConfig}'s keys in snake case, such as
     * {@code num_local_experts}. Needed with {@code enable_moe}, and only there.
     */
    public JsonNode moeConfig;
    /**
     * Directory of the dense model whose layers the experts start from, in place of {@code pretrained_model_name_or_path},
     * as MixT5 calls it. A dense pre-trained model is upcycled too.
     */
    public Path referenceModelNameOrPath;
    /** NoisyTune's lambda, by which the experts of an upcycled model are perturbed, at least 0. Default 0. */
    public double noiseLambda;
    /** Directory or {@code spiece.model} of the tokenizer. Default: the pre-trained model's directory. */
    public Path tokenizerNameOrPath;
    /** Dropout in training, in [0, 1). Default: the model's own, 0.1 where it has none. */
    public Double dropoutRate;
    /**
     * What computes: {@code cpu}; {@code cuda} or {@code cuda:N} for a GPU, N from 0; {@code emulator} or
     * {@code reference} for checks; or {@code auto}, a GPU where CUDA works, else the processor. Default auto.
     */
    public String device = Devices.AUTO;
    /**
     * What activations and matrix products are computed in: {@code fp32}, {@code bf16} or {@code fp16}, the latter with
     * a loss scaled dynamically. Weights, optimiser, routers and loss are F32 in each. Default fp32.
     */
    public Precision precision = Precision.FP32;

    // The data.

    /**
     * {@code squad} for the files named below, or {@code quickstart} for a data set with a vocabulary of its own, which
     * takes the place of {@code train_file}, {@code validation_file} and {@code tokenizer_name_or_path}. Default squad.
     */
    public Dataset dataset = Dataset.SQUAD;
    /** SQuAD v1.1 file to learn from, {@code .json} or {@code .json.gz}. Needed unless {@code dataset} brings its own. */
    public Path trainFile;
    /** SQuAD v1.1 file to score on, by generation. */
    public Path validationFile;
    /** Questions used of {@code train_file}, the first so many, at least 1. Default: all. */
    public Integer maxTrainSamples;
    /** Questions used of {@code validation_file}, the first so many, at least 1. Default: all. */
    public Integer maxEvalSamples;
    /** Tokens of the input, at least 1; what is longer is cut. Default 512. */
    public int maxSequenceLength = 512;
    /** Tokens of the target with its end token, at least 1; what is longer is cut. Default 64. */
    public int maxTargetLength = 64;
    /** {@code ignore} or {@code pad}. Default ignore. */
    public LabelPadding labelPadding = LabelPadding.IGNORE;
    /** Whether batches are of questions of like length. Default true. */
    public boolean groupByLength = true;

    // The updates.

    /** Questions a batch in training, at least 1. Default 8. */
    public int perDeviceTrainBatchSize = 8;
    /** Batches whose gradients make one update, at least 1. Default 1. */
    public int gradientAccumulationSteps = 1;
    /** Passes over the training data, above 0, parts of one allowed. Default 3. */
    public double numTrainEpochs = 3;
    /** Updates of the run, at least 1, in place of {@code num_train_epochs}; -1 for none. Default -1. */
    public int maxSteps = -1;
    /** {@code adamw} or {@code adafactor}. Default adamw. */
    public Optim optim = Optim.ADAMW;
    /**
     * Largest learning rate, above 0. Default: 5e-5 for AdamW; T5's relative step, min(1e-2, 1 / sqrt(step)) without a
     * schedule, for Adafactor.
     */
    public Double learningRate;
    /** {@code linear}, {@code constant}, {@code constant_with_warmup} or {@code inverse_sqrt}. Default linear. */
    public Scheduler lrSchedulerType = Scheduler.LINEAR;
    /** Share of the updates over which the learning rate rises from 0, in [0, 1]. Default 0. */
    public double warmupRatio;
    /** Updates over which the learning rate rises from 0, at least 0; above 0 it overrules the ratio. Default 0. */
    public int warmupSteps;
    /** Decay of the weights, not of the norms' ones, per update and unit of learning rate, at least 0. Default 0. */
    public double weightDecay;
    /** AdamW's decay of the mean gradient, in [0, 1). Default 0.9. */
    public double adamBeta1 = 0.9;
    /** AdamW's decay of the mean squared gradient, in [0, 1). Default 0.999. */
    public double adamBeta2 = 0.999;
    /** AdamW's term against division by 0, above 0. Default 1e-8. */
    public double adamEpsilon = 1e-8;
    /** Norm of all gradients together to which larger ones are scaled down, at least 0; 0 for never. Default 1. */
    public double maxGradNorm = 1;
    /**
     * Norm of all gradients together, before they are scaled down, beyond which they cannot be used, above 0. Default:
     * none, so that only infinite and undefined ones cannot.
     */
    public Double maxUsableGradNorm;
    /**
     * What to do about a step whose loss or gradients are infinite, undefined or beyond {@code max_usable_grad_norm}:
     * {@code stop} or {@code skip}. In fp16 an overflow of the scaled gradients is no such step. Default stop.
     */
    public OnBadStep onBadStep = OnBadStep.STOP;
    /** What all randomness follows from. Default 42. */
    public long seed = 42;

    // Scores, checkpoints and reports.

    /** When to score: {@code no}, {@code steps} or {@code epoch}. Default: epoch where there is a validation file. */
    public Strategy evaluationStrategy;
    /** Updates between scores where the strategy is {@code steps}, at least 1. Default 500. */
    public int evalSteps = 500;
    /** Exact match, in per cent, at which the run ends early; in (0, 100]. Default: none. */
    public Double targetExactMatch;
    /** Questions a batch in generation, at least 1. Default 8. */
    public int perDeviceEvalBatchSize = 8;
    /** Most tokens of a generated answer, the start token counted, at least 2. Default 30. */
    public int generationMaxLength = 30;
    /** Beams that validation searches with, at least 1, where it writes greedily. Default 1. */
    public int generationNumBeams = 1;
    /** {@code official} or {@code mixt5}. Default official. */
    public SquadMetric metric = SquadMetric.OFFICIAL;
    /** Directory for checkpoints and reports, made where it is not there. Always needed. */
    public Path saveDir;
    /**
     * What to go on from: {@code auto}, the newest whole checkpoint in {@code save_dir} where there is one; {@code never},
     * nothing: what is there is removed; or a checkpoint's directory, as from the working directory. Default auto.
     */
    public Path resume = RESUME_AUTO;
    /** When to save: {@code no}, {@code steps} or {@code epoch}. Default epoch. */
    public Strategy saveStrategy = Strategy.EPOCH;
    /** Updates between checkpoints where the strategy is {@code steps}, at least 1. Default 500. */
    public int saveSteps = 500;
    /**
     * Checkpoints kept, the newest ones, at least 1; the best model is kept besides. Default 2, so that there is one to
     * fall back on.
     */
    public int saveTotalLimit = 2;
    /** Updates between lines in the report, at least 1. Default 10. */
    public int loggingSteps = 10;
    /** Questions and answers printed at the end, at least 0. Default 5. */
    public int numPrintSamples = 5;

    static final Path RESUME_AUTO = Path.of("auto");
    static final Path RESUME_NEVER = Path.of("never");

    private T5Config modelShape;
    private MixtureConfig mixture;

    /** Other names of some keys: Hugging Face has renamed the one and calls the others so. */
    private static final Map<String, String> ALIASES = Map.of("eval_strategy", "evaluation_strategy", "output_dir",
            "save_dir", "num_beams", "generation_num_beams");
    private static final double ADAMW_LEARNING_RATE = 5e-5;

    /**
     * Reads {@code file}, checks every value and that the inputs which it names are there.
     *
     * @throws UserException if anything is wrong: one sentence with the file and the key
     */
    public static TrainConfig load(Path file) {
        return of(StrictJson.readObject(file), file);
    }

    /**
     * The same from keys that are in no file of their own.
     *
     * @param keys left as they are
     * @param file where they come from, for messages and for the paths of inputs
     */
    public static TrainConfig of(ObjectNode keys, Path file) {
        ObjectNode tree = keys.deepCopy();
        replaceAliases(tree, file);
        TrainConfig config = StrictJson.bind(tree, TrainConfig.class, file, UnknownKeys.REFUSE);
        config.resolve(file);
        new TrainConfigCheck(config, file).run();
        if (config.enableMoe) {
            config.mixture = ModelShape.mixture(config.moeConfig, file);
        }
        if (config.modelConfig != null) {
            T5Config shape = ModelShape.of(config.modelConfig, file);
            config.modelShape = config.enableMoe ? shape.with(config.mixture) : shape;
        }
        return config;
    }

    /** What {@code moe_config} asks for; null without {@code enable_moe}. */
    public MixtureConfig mixture() {
        return mixture;
    }

    /** What {@code model_config} asks for; null where it is not given. */
    public T5Config modelShape() {
        return modelShape;
    }

    /** How validation writes answers. */
    public GenerationConfig generation() {
        GenerationConfig generation = GenerationConfig.greedy(generationMaxLength);
        generation.numBeams = generationNumBeams;
        return generation;
    }

    /** Whether there are questions to score on. */
    public boolean hasValidation() {
        return dataset == Dataset.QUICKSTART || validationFile != null;
    }

    /** Whether to go on from the newest checkpoint in {@code save_dir}. */
    public boolean resumesNewest() {
        return resume.equals(RESUME_AUTO);
    }

    /** Whether to start anew, whatever is in {@code save_dir}. */
    public boolean startsAnew() {
        return resume.equals(RESUME_NEVER);
    }

    /** Whether Adafactor takes T5's relative step, with no learning rate given. */
    public boolean usesRelativeStep() {
        return optim == Optim.ADAFACTOR && learningRate == null;
    }

    /** Updates of warm-up in a run of {@code totalSteps}, by {@code warmup_steps}, else by {@code warmup_ratio}. */
    public int warmup(int totalSteps) {
        if (lrSchedulerType == Scheduler.CONSTANT) {
            return 0;
        }
        return warmupSteps > 0 ? warmupSteps : (int) Math.ceil(totalSteps * warmupRatio);
    }

    private static void replaceAliases(ObjectNode tree, Path file) {
        ALIASES.forEach((alias, key) -> {
            if (tree.has(alias)) {
                if (tree.has(key)) {
                    throw new UserException(
                            file + " has both '" + key + "' and '" + alias + "', which are one key: remove one");
                }
                tree.set(key, tree.remove(alias));
            }
        });
    }

    /** Completes what depends on other keys and on where {@code file} is. */
    private void resolve(Path file) {
        pretrainedModelNameOrPath = beside(file,
                referenceModelNameOrPath != null ? referenceModelNameOrPath : pretrainedModelNameOrPath);
        boolean takesTheModels = tokenizerNameOrPath == null && dataset == Dataset.SQUAD;
        tokenizerNameOrPath = takesTheModels ? pretrainedModelNameOrPath : beside(file, tokenizerNameOrPath);
        for (Path word : List.of(RESUME_AUTO, RESUME_NEVER)) {
            resume = resume.toString().equalsIgnoreCase(word.toString()) ? word : resume;
        }
        trainFile = beside(file, trainFile);
        validationFile = beside(file, validationFile);
        if (evaluationStrategy == null) {
            evaluationStrategy = hasValidation() ? Strategy.EPOCH : Strategy.NO;
        }
        if (learningRate == null && optim == Optim.ADAMW) {
            learningRate = ADAMW_LEARNING_RATE;
        }
    }

    private static Path beside(Path file, Path path) {
        return path == null ? null : file.resolveSibling(path);
    }
}
