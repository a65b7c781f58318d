package io.mixt5.train.run;

import io.mixt5.engine.Device;
import io.mixt5.engine.UserException;
import io.mixt5.model.ExpertSimilarity;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.model.Upcycling;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.card.ModelCard;
import io.mixt5.train.config.Devices;
import io.mixt5.train.config.TrainConfig;
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
import java.nio.file.Files;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
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
    private final CheckpointKeeper keeper;
    private final int totalSteps;
    private TrainState state;
    private Map<String, String> answers = Map.of();
    private SquadScore score;

    /** Reads the data and the model; throws a {@link UserException} for whatever the user has to mend. */
    public TrainingRun(TrainConfig config, PrintStream out) {
        this.config = config;
        this.out = out;
        watch = new ExpertWatch(this::warn);
        directory = new RunDirectory(config.saveDir);
        RunInputs inputs = RunInputs.of(config, directory);
        tokenizer = owned.add(T5Tokenizer.load(inputs.tokenizer())).withAddedTokens(SquadPrompt.MARKERS);
        try {
            train = SquadPairs.read(inputs.train(), tokenizer, config.maxSequenceLength, config.maxTargetLength,
                    most(config.maxTrainSamples));
            validation = inputs.validation() == null
                    ? List.of()
                    : SquadPairs.examples(inputs.validation(), Answers.REQUIRED, most(config.maxEvalSamples));
            totalSteps = config.maxSteps > 0
                    ? config.maxSteps
                    : (int) Math.ceil(config.numTrainEpochs * stepsPerEpoch());
            SavedRun saved = saved();
            model = owned.add(model(saved));
            checkVocabulary();
            RunSettings settings = RunSettings.of(config, model, train, schedule());
            if (saved != null) {
                settings.continueFrom(saved.directory(), saved.settings(), note -> out.println("note: " + note));
            }
            optimizer = owned.add(optimizer());
            if (saved != null) {
                saved.restore(optimizer);
            }
            if (config.saveStrategy != Strategy.NO) {
                directory.requireRoom(model, optimizer, config.saveTotalLimit, !validation.isEmpty());
            }
            state = saved == null ? TrainState.start(config.seed) : withBest(saved.state());
            trainer = new Trainer(model, optimizer, schedule(), config, state.lossScale());
            keeper = new CheckpointKeeper(directory, model, tokenizer, optimizer, settings, config.saveTotalLimit,
                    this::warn);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private void warn(String warning) {
        out.println("warning: " + warning);
    }

    /** The checkpoint to go on from; null to start anew. */
    private SavedRun saved() {
        if (config.startsAnew()) {
            directory.clear();
            return null;
        }
        SavedRun saved = config.resumesNewest()
                ? directory.newestWhole(this::warn)
                : directory.resume(config.resume);
        if (saved != null && saved.state().seed() != config.seed) {
            throw new UserException(saved.directory() + " was trained with seed " + saved.state().seed() + ", not "
                    + config.seed + "; use that seed, another save_dir, or resume: never");
        }
        return saved;
    }

    /** Where the run stands, the best model so far being the best of those that can be had. */
    private TrainState withBest(TrainState saved) {
        if (saved.bestStep() == 0 || config.saveStrategy == Strategy.NO || Files.exists(directory.best())) {
            return saved;
        }
        warn("the best model so far is not in " + directory.best() + "; the next validation is taken for the first");
        return saved.withoutBest();
    }

    /** @param saved the checkpoint to go on from; null for none */
    private T5Model model(SavedRun saved) {
        Device device = Devices.open(config.device);
        T5Model loaded;
        if (saved != null) {
            loaded = T5Model.load(saved.directory(), device);
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
        try (MetricsLog log = new MetricsLog(directory.metrics(), state.step(), this::warn);
                Progress progress = new Progress(out, "training", "steps", state.step(), totalSteps)) {
            finished = epochs(stop, log, progress);
        }
        if (state.lossScale() != null) {
            out.printf("skipped %,d of %,d steps, whose gradients left the range of %s; the loss scale is %.0f%n",
                    state.lossScale().skipped(), state.step(), model.precision(), state.lossScale().scale());
        }
        if (state.badSteps() > 0) {
            out.printf("skipped %,d of %,d steps, whose loss or gradients could not be used%n", state.badSteps(),
                    state.step());
        }
        keeper.requireSaved();
        if (config.saveStrategy != Strategy.NO && directory.newest() == null) {
            // It went on from another run's checkpoint that was at the end already.
            keeper.save(state);
            keeper.requireSaved();
        }
        if (!finished) {
            out.println("stopped after step " + state.step() + "; the same command goes on from " + directory.newest());
        } else {
            if (state.bestStep() == 0 && config.saveStrategy != Strategy.NO) {
                // The run does not go on from its card, so the card has no place among the checksums.
                card(state).write(directory.newest());
            }
            if (!validation.isEmpty()) {
                report();
            }
        }
        return finished;
    }

    private boolean epochs(BooleanSupplier stop, MetricsLog log, Progress progress) {
        int[] lengths = train.stream().mapToInt(pair -> pair.source().length).toArray();
        if (state.step() > 0 && state.validatedStep() < state.step() && validationIsDue()) {
            // The run was stopped between a step and its validation.
            validate(log);
            keeper.save(state);
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
                    keeper.save(state);
                    return false;
                }
                if (validationIsDue()) {
                    validate(log);
                }
                if (due(config.saveStrategy, config.saveSteps)) {
                    keeper.save(state);
                }
            } while (!state.atEpochEnd() && !ended());
        }
        return true;
    }

    private boolean validationIsDue() {
        return due(config.evaluationStrategy, config.evalSteps);
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
        state = state.advanced(end, update.fault() != null, trainer.lossScale());
        if (update.fault() != null) {
            warn(update.fault() + "; the step is skipped");
        }
        watch.see(update.routing());
        double seconds = (System.nanoTime() - start) * 1e-9;
        long tokensPerSecond = Math.round(update.tokens() / seconds);
        progress.step(1, "loss %.4f  %,d tokens/s".formatted(update.loss(), tokensPerSecond));
        if (state.step() % config.loggingSteps == 0 || state.step() == totalSteps) {
            double epoch = state.epoch() + (double) state.batch() * config.perDeviceTrainBatchSize / train.size();
            log.write(MetricsLines.step(state, epoch, update, tokensPerSecond));
        }
    }

    private void validate(MetricsLog log) {
        long start = System.nanoTime();
        score = score();
        log.write(MetricsLines.validation(state.step(), score, ExpertSimilarity.of(model),
                (System.nanoTime() - start) * 1e-9));
        TrainState improved = state.improved(score.exactMatch(), score.f1());
        boolean best = state.improvedBy(score.exactMatch(), score.f1())
                && (config.saveStrategy == Strategy.NO || keeper.saveBest(state.step(), card(improved)));
        state = best ? improved : state.validated();
    }

    private ModelCard card(TrainState at) {
        return new RunCard(config, tokenizer, train, validation).of(model, at);
    }

    /** Answers the validation questions with the model as it stands; leaves the answers in the run's directory. */
    private SquadScore score() {
        Answerer answerer = new Answerer(model, tokenizer, config.maxSequenceLength, config.generation(),
                config.perDeviceEvalBatchSize);
        try (Progress progress = new Progress(out, "validation", "questions", 0, validation.size())) {
            answers = answerer.answer(validation, done -> progress.step(done, ""));
        }
        SquadScore fresh = new SquadScore(config.metric);
        validation.forEach(example -> fresh.add(answers.get(example.id()), example.answerTexts()));
        try {
            SquadPredictions.write(directory.predictions(), answers);
        } catch (UserException e) {
            warn(e.getMessage() + "; the run goes on without");
        }
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
            out.println("model: " + (state.bestStep() > 0 ? directory.best() : directory.newest()));
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
