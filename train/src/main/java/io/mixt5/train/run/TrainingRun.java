package io.mixt5.train.run;

import io.mixt5.engine.Device;
import io.mixt5.engine.UserException;
import io.mixt5.model.ExpertSimilarity;
import io.mixt5.model.RoutingFigures;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.model.Upcycling;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.card.ModelCard;
import io.mixt5.train.config.Devices;
import io.mixt5.train.config.TrainConfig;
import io.mixt5.train.config.TrainConfig.Resume;
import io.mixt5.train.config.TrainConfig.Strategy;
import io.mixt5.train.data.BatchPlan;
import io.mixt5.train.data.SquadPairs;
import io.mixt5.train.data.TextPair;
import io.mixt5.train.optim.AdafactorOptimizer;
import io.mixt5.train.optim.AdamWOptimizer;
import io.mixt5.train.optim.Optimizer;
import io.mixt5.train.optim.Schedule;
import io.mixt5.train.squad.SquadExample;
import io.mixt5.train.squad.SquadPredictions;
import io.mixt5.train.squad.SquadPrompt;
import io.mixt5.train.squad.SquadReader.Answers;
import io.mixt5.train.squad.SquadScore;
import java.io.PrintStream;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * A whole fine-tuning run as a {@link TrainConfig} describes it: data, epochs, validation, checkpoints.
 *
 * <p>Ends early, after saving, when it is asked to, as by a {@link StopSignal}.
 */
public final class TrainingRun implements AutoCloseable {
    private final TrainConfig config;
    private final PrintStream out;
    private final RunDirectory directory;
    private final ExpertWatch watch;
    private final Owned owned = new Owned();
    private final T5Tokenizer tokenizer;
    private final List<TextPair> train;
    private final List<SquadExample> validation;
    private final T5Model model;
    private final Optimizer optimizer;
    private final Trainer trainer;
    private final int totalSteps;
    private TrainState state;
    private Map<String, String> answers = Map.of();
    private SquadScore score;

    /** Reads the data and the model; throws a {@link UserException} for whatever the user has to mend. */
    public TrainingRun(TrainConfig config, PrintStream out) {
        this.config = config;
        this.out = out;
        watch = new ExpertWatch(warning -> out.println("warning: " + warning));
        directory = new RunDirectory(config.saveDir);
        RunInputs inputs = RunInputs.of(config, directory);
        tokenizer = owned.add(T5Tokenizer.load(inputs.tokenizer())).withAddedTokens(SquadPrompt.MARKERS);
        try {
            train = SquadPairs.read(inputs.train(), tokenizer, config.maxSequenceLength, config.maxTargetLength,
                    most(config.maxTrainSamples));
            validation = inputs.validation() == null
                    ? List.of()
                    : SquadPairs.examples(inputs.validation(), Answers.REQUIRED, most(config.maxEvalSamples));
            TrainState saved = savedState();
            model = owned.add(model(saved != null));
            checkVocabulary();
            optimizer = owned.add(optimizer());
            if (saved != null) {
                directory.restore(optimizer);
            }
            state = saved == null ? TrainState.start(config.seed) : saved;
            totalSteps = config.maxSteps > 0
                    ? config.maxSteps
                    : (int) Math.ceil(config.numTrainEpochs * stepsPerEpoch());
            trainer = new Trainer(model, optimizer, schedule(), config, state.lossScale());
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private TrainState savedState() {
        TrainState saved = config.resume == Resume.AUTO ? directory.lastState() : directory.cleared();
        if (saved != null && saved.seed() != config.seed) {
            throw new UserException(directory.last() + " was trained with seed " + saved.seed() + ", not " + config.seed
                    + "; use that seed, another save_dir, or resume: never");
        }
        return saved;
    }

    private T5Model model(boolean resumed) {
        Device device = Devices.open(config.device);
        T5Model loaded;
        if (resumed) {
            loaded = T5Model.load(directory.last(), device);
        } else if (config.pretrainedModelNameOrPath != null) {
            loaded = upcycled(T5Model.load(config.pretrainedModelNameOrPath, device));
        } else {
            T5Config shape = config.modelShape();
            loaded = T5Model.random(shape, device, config.seed);
        }
        if (config.dropoutRate != null) {
            loaded.config().dropoutRate = config.dropoutRate;
        }
        return loaded.compute(config.precision);
    }

    private T5Model upcycled(T5Model pretrained) {
        if (!config.enableMoe || pretrained.config().mixture().activateMoe) {
            return pretrained;
        }
        try (pretrained) {
            return Upcycling.upcycle(pretrained, config.mixture(), config.noiseLambda, config.seed);
        }
    }

    private void checkVocabulary() {
        if (tokenizer.vocabularySize() > model.config().vocabSize) {
            throw new UserException("the tokenizer has " + tokenizer.vocabularySize() + " ids but the model only "
                    + model.config().vocabSize + "; use the tokenizer that belongs to the model");
        }
    }

    private Optimizer optimizer() {
        return switch (config.optim) {
            case ADAMW -> new AdamWOptimizer(model.parameters().all(), p -> p.isVector() ? 0 : config.weightDecay,
                    config.adamBeta1,
                    config.adamBeta2, config.adamEpsilon);
            case ADAFACTOR ->
                new AdafactorOptimizer(model.parameters().all(), p -> p.isVector() ? 0 : config.weightDecay);
        };
    }

    private Schedule schedule() {
        if (config.usesRelativeStep()) {
            return new Schedule(Schedule.Kind.RELATIVE_STEP, 0, 0, totalSteps);
        }
        Schedule.Kind kind = switch (config.lrSchedulerType) {
            case LINEAR -> Schedule.Kind.LINEAR;
            case CONSTANT, CONSTANT_WITH_WARMUP -> Schedule.Kind.CONSTANT;
            case INVERSE_SQRT -> Schedule.Kind.INVERSE_SQRT;
        };
        return new Schedule(kind, config.learningRate, config.warmup(totalSteps), totalSteps);
    }

    private static int most(Integer samples) {
        return samples == null ? Integer.MAX_VALUE : samples;
    }

    private int stepsPerEpoch() {
        int batches = (train.size() + config.perDeviceTrainBatchSize - 1) / config.perDeviceTrainBatchSize;
        return (batches + config.gradientAccumulationSteps - 1) / config.gradientAccumulationSteps;
    }

    /** Trains to the end, or until {@code stop}, asked after each step, says so; whether the end was reached. */
    public boolean run(BooleanSupplier stop) {
        out.printf("%s: %,d parameters on %s in %s; %,d training and %,d validation questions; %,d steps%n",
                config.saveDir.getFileName(),
                model.parameters().count(), model.device(), model.precision(), train.size(), validation.size(),
                totalSteps);
        boolean finished;
        try (MetricsLog log = new MetricsLog(directory.metrics(), state.step() > 0);
                Progress progress = new Progress(out, "training", "steps", state.step(), totalSteps)) {
            finished = epochs(stop, log, progress);
        }
        if (state.lossScale() != null) {
            out.printf("skipped %,d of %,d steps, whose gradients left the range of %s; the loss scale is %.0f%n",
                    state.lossScale().skipped(), state.step(), model.precision(), state.lossScale().scale());
        }
        if (!finished) {
            out.println("stopped after step " + state.step() + "; the same command goes on from " + directory.last());
        } else {
            if (state.bestStep() == 0 && config.saveStrategy != Strategy.NO) {
                card().write(directory.last());
            }
            if (!validation.isEmpty()) {
                report();
            }
        }
        return finished;
    }

    private boolean epochs(BooleanSupplier stop, MetricsLog log, Progress progress) {
        int[] lengths = train.stream().mapToInt(pair -> pair.source().length).toArray();
        if (state.step() > 0 && state.validatedStep() < state.step()) {
            // The run was stopped between a step and its validation.
            validateIfDue(log);
            directory.saveLast(model, tokenizer, optimizer, state);
        }
        while (!ended()) {
            List<int[]> batches = BatchPlan.epoch(lengths, config.perDeviceTrainBatchSize, config.groupByLength,
                    config.seed, state.epoch());
            do {
                int end = Math.min(batches.size(), state.batch() + config.gradientAccumulationSteps);
                step(batches.subList(state.batch(), end), end, log, progress);
                if (end == batches.size()) {
                    state = state.nextEpoch();
                }
                if (stop.getAsBoolean()) {
                    directory.saveLast(model, tokenizer, optimizer, state);
                    return false;
                }
                validateIfDue(log);
                if (due(config.saveStrategy, config.saveSteps)) {
                    directory.saveLast(model, tokenizer, optimizer, state);
                }
            } while (!state.atEpochEnd() && !ended());
        }
        return true;
    }

    private void validateIfDue(MetricsLog log) {
        if (due(config.evaluationStrategy, config.evalSteps)) {
            validate(log);
        }
    }

    private boolean ended() {
        return state.step() >= totalSteps || config.targetExactMatch != null && state.bestStep() > 0
                && state.bestExactMatch() >= config.targetExactMatch;
    }

    private boolean due(Strategy strategy, int every) {
        return switch (strategy) {
            case NO -> false;
            case EPOCH -> state.atEpochEnd() || ended();
            case STEPS -> state.step() % every == 0 || ended();
        };
    }

    private void step(List<int[]> batches, int end, MetricsLog log, Progress progress) {
        long start = System.nanoTime();
        List<List<TextPair>> pairs = batches.stream().map(batch -> Arrays.stream(batch).mapToObj(train::get).toList())
                .toList();
        Trainer.Update update = trainer.update(state.step(), pairs);
        state = state.advanced(end, trainer.lossScale());
        watch.see(update.routing());
        double seconds = (System.nanoTime() - start) * 1e-9;
        long tokensPerSecond = Math.round(update.tokens() / seconds);
        progress.step(1, "loss %.4f  %,d tokens/s".formatted(update.loss(), tokensPerSecond));
        if (state.step() % config.loggingSteps == 0 || state.step() == totalSteps) {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("step", state.step());
            line.put("epoch", state.epoch() + (double) state.batch() * config.perDeviceTrainBatchSize / train.size());
            line.put("loss", update.loss());
            line.put("grad_norm", Double.isFinite(update.norm()) ? update.norm() : null);
            line.put("learning_rate", update.learningRate());
            line.put("tokens_per_second", tokensPerSecond);
            if (state.lossScale() != null) {
                line.put("loss_scale", state.lossScale().scale());
                line.put("skipped_steps", state.lossScale().skipped());
            }
            if (!update.routing().isEmpty()) {
                line.put("routing", update.routing().stream().map(TrainingRun::figures).toList());
            }
            log.write(line);
        }
    }

    private static Map<String, Object> figures(RoutingFigures layer) {
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("layer", layer.layer());
        figures.put("tokens_per_expert", layer.counts());
        figures.put("dropped_share", layer.droppedShare());
        figures.put("imbalance", layer.imbalance());
        figures.put("entropy", layer.entropy());
        figures.put("gate", layer.gate());
        figures.put("balance_loss", layer.balance());
        return figures;
    }

    private void validate(MetricsLog log) {
        long start = System.nanoTime();
        score = score();
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("step", state.step());
        line.put("exact_match", score.exactMatch());
        line.put("f1", score.f1());
        Map<String, Double> similarity = new LinkedHashMap<>();
        ExpertSimilarity.of(model).forEach(layer -> similarity.put(layer.layer(), layer.cosine()));
        if (!similarity.isEmpty()) {
            line.put("expert_similarity", similarity);
        }
        line.put("validation_seconds", (System.nanoTime() - start) * 1e-9);
        log.write(line);
        state = state.validated(score.exactMatch(), score.f1());
        if (state.bestStep() == state.step() && config.saveStrategy != Strategy.NO) {
            directory.saveBest(model, tokenizer, card());
        }
    }

    private ModelCard card() {
        return new RunCard(config, tokenizer, train, validation).of(model, state);
    }

    /** Answers the validation questions with the model as it stands; leaves the answers in the run's directory. */
    private SquadScore score() {
        Answerer answerer = new Answerer(model, tokenizer, config.maxSequenceLength, config.generationMaxLength,
                config.perDeviceEvalBatchSize);
        try (Progress progress = new Progress(out, "validation", "questions", 0, validation.size())) {
            answers = answerer.answer(validation, done -> progress.step(done, ""));
        }
        SquadScore fresh = new SquadScore(config.metric);
        validation.forEach(example -> fresh.add(answers.get(example.id()), example.answerTexts()));
        SquadPredictions.write(directory.predictions(), answers);
        out.printf("after step %d: EM %.2f, F1 %.2f on %,d unseen questions%n", state.step(), fresh.exactMatch(),
                fresh.f1(), validation.size());
        return fresh;
    }

    /**
     * What the model scores as it stands: after {@link #run} has reached the end, that of the trained model; before,
     * that of the model to start from. There must be validation questions.
     */
    public SquadScore finalScore() {
        if (score == null || state.validatedStep() < state.step()) {
            score = score();
        }
        return score;
    }

    /** Where the run stands. */
    public TrainState state() {
        return state;
    }

    /** The model's shape, its mixtures included. */
    public T5Config shape() {
        return model.config();
    }

    private void report() {
        if (!answers.isEmpty()) {
            SampleReport.print(out, validation, answers, config.metric, config.numPrintSamples);
        }
        if (state.bestStep() > 0) {
            out.printf("best: EM %.2f, F1 %.2f after step %d%n", state.bestExactMatch(), state.bestF1(),
                    state.bestStep());
        }
        if (config.saveStrategy != Strategy.NO) {
            out.println("model: " + (state.bestStep() > 0 ? directory.best() : directory.last()));
        }
    }

    @Override
    public void close() {
        owned.close();
    }

    /** What this run has opened, closed in reverse even where the constructor fails half-way. */
    private static final class Owned {
        private final Deque<AutoCloseable> resources = new ArrayDeque<>();

        <T extends AutoCloseable> T add(T resource) {
            resources.push(resource);
            return resource;
        }

        void close() {
            while (!resources.isEmpty()) {
                try {
                    resources.pop().close();
                } catch (Exception e) {
                    throw new IllegalStateException("a resource of the run cannot be closed", e);
                }
            }
        }
    }
}
