package io.mixt5.train.experiment;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.UserException;
import io.mixt5.model.MixtureConfig;
import io.mixt5.model.T5Config;
import io.mixt5.model.io.StrictJson;
import io.mixt5.model.io.UserFiles;
import io.mixt5.train.config.TrainConfig;
import io.mixt5.train.config.TrainConfig.Strategy;
import io.mixt5.train.experiment.Experiment.Variant;
import io.mixt5.train.run.RunDirectory;
import io.mixt5.train.run.TrainState;
import io.mixt5.train.run.TrainingRun;
import io.mixt5.train.squad.SquadScore;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Runs an {@link Experiment}, one run after another, each an ordinary {@link TrainingRun} in a directory of its own,
 * {@code save_dir/variant/seed-n}. A run that has left its {@code result.json} is done and not run again; one that was
 * interrupted goes on.
 */
public final class Comparison {
    private static final String RESULT = "result.json";

    private final Experiment experiment;
    private final PrintStream out;

    /** Of {@code experiment}; what it says goes to {@code out}. */
    public Comparison(Experiment experiment, PrintStream out) {
        this.experiment = experiment;
        this.out = out;
    }

    /**
     * Runs what is not done yet and then prints the tables and writes them into {@code save_dir}.
     *
     * @param stop asked after each step and between runs
     * @return whether the end was reached
     * @throws UserException for whatever the user has to mend, before anything is run where that can be seen by then
     */
    public boolean run(BooleanSupplier stop) {
        check();
        List<RunResult> results = new ArrayList<>();
        for (Run run : runs()) {
            RunResult result = finished(run.directory(), run.settings());
            if (result == null) {
                out.println("== " + run.title());
                result = stop.getAsBoolean() ? null : perform(run, stop);
            }
            if (result == null) {
                out.println("the comparison was stopped in " + run.title() + "; the same command goes on from there");
                return false;
            }
            if (run.variant != experiment.pretraining()) {
                results.add(result);
            }
        }
        Tables tables = new Tables(results, experiment.variants().stream().filter(Variant::named).map(Variant::name)
                .toList());
        tables.write(experiment.saveDir());
        out.println();
        out.print(tables.markdown());
        return true;
    }

    /** One run of a variant. */
    private final class Run {
        private final Variant variant;
        private final long seed;
        private final boolean several;

        Run(Variant variant, long seed, boolean several) {
            this.variant = variant;
            this.seed = seed;
            this.several = several;
        }

        String title() {
            return several ? variant.name() + ", seed " + seed : variant.name();
        }

        Path directory() {
            Path directory = experiment.saveDir().resolve(variant.directory());
            return several ? directory.resolve("seed-" + seed) : directory;
        }

        /** All that the result depends on and the user has said. */
        ObjectNode settings() {
            ObjectNode settings = variant.settings().deepCopy().put("seed", seed).put("train", variant.trains());
            if (startsFromPretraining()) {
                settings.set("pretrain", experiment.pretraining().settings());
            }
            return settings;
        }

        boolean startsFromPretraining() {
            return experiment.pretraining() != null && variant != experiment.pretraining()
                    && !variant.settings().has("pretrained_model_name_or_path")
                    && !variant.settings().has("reference_model_name_or_path");
        }

        /** @param pretrained the model that pre-training has left, or will */
        TrainConfig config(Path pretrained) {
            ObjectNode settings = variant.settings().deepCopy().put("seed", seed);
            settings.put("save_dir", directory().toString());
            if (startsFromPretraining()) {
                settings.put("pretrained_model_name_or_path", pretrained.toAbsolutePath().toString());
            }
            return TrainConfig.of(settings, experiment.file());
        }
    }

    private List<Run> runs() {
        List<Run> runs = new ArrayList<>();
        long first = experiment.seeds().getFirst();
        if (experiment.pretraining() != null) {
            runs.add(new Run(experiment.pretraining(), first, false));
        }
        for (Variant variant : experiment.variants()) {
            if (variant.trains()) {
                experiment.seeds().forEach(seed -> runs.add(new Run(variant, seed, true)));
            } else {
                runs.add(new Run(variant, first, false));
            }
        }
        return runs;
    }

    /**
     * Finds mistakes in the settings of any run, before the first.
     *
     * @throws UserException for the first one found
     */
    public void check() {
        UserFiles.requireWritableDirectory(experiment.saveDir());
        for (Run run : runs()) {
            // A directory that is there stands in for the model that may not be there yet.
            TrainConfig config = named(run, () -> run.config(experiment.saveDir()));
            if (run.variant == experiment.pretraining()) {
                require(config.saveStrategy != Strategy.NO, run,
                        "its save_strategy must not be no, as the variants start from its model");
                continue;
            }
            require(config.hasValidation(), run, "validation_file is missing, but the tables need scores");
            boolean nothingToScore = !run.variant.trains() && config.pretrainedModelNameOrPath == null;
            require(!nothingToScore, run, "it is not to be trained, so there must be a model that is");
        }
    }

    private void require(boolean holds, Run run, String sentence) {
        if (!holds) {
            throw new UserException("'" + run.variant.name() + "' in " + experiment.file() + ": " + sentence);
        }
    }

    private static <T> T named(Run run, Supplier<T> action) {
        try {
            return action.get();
        } catch (UserException e) {
            throw new UserException("'" + run.variant.name() + "': " + e.getMessage(), e);
        }
    }

    private static RunResult finished(Path directory, ObjectNode settings) {
        if (!Files.exists(directory.resolve(RESULT))) {
            return null;
        }
        Settings.keep(directory, settings);
        return StrictJson.read(directory.resolve(RESULT), RunResult.class);
    }

    /** Runs to the end; null when stopped before. */
    private RunResult perform(Run run, BooleanSupplier stop) {
        UserFiles.requireWritableDirectory(run.directory());
        Settings.keep(run.directory(), run.settings());
        TrainConfig config = named(run, () -> run.config(pretrained()));
        RunResult result;
        try (TrainingRun training = new TrainingRun(config, out)) {
            if (run.variant.trains() && !training.run(stop)) {
                return null;
            }
            result = result(run, config, training);
        }
        if (run.variant != experiment.pretraining() && !experiment.keepModels()) {
            new RunDirectory(config.saveDir).removeModels();
        }
        StrictJson.write(run.directory().resolve(RESULT), result);
        return result;
    }

    private static RunResult result(Run run, TrainConfig config, TrainingRun training) {
        T5Config shape = training.shape();
        MixtureConfig mixture = shape.mixture();
        int layers = mixture.mixtures(Math.max(shape.numLayers, shape.decoderLayers()));
        TrainState state = training.state();
        SquadScore score = config.hasValidation() ? training.finalScore() : null;
        boolean best = state.bestStep() > 0;
        return new RunResult(run.variant.name(), config.seed, state.step(), layers, config.noiseLambda,
                score == null ? null : score.exactMatch(), score == null ? null : score.f1(),
                best ? state.bestExactMatch() : null, best ? state.bestF1() : null);
    }

    /** The model that pre-training has left: the best where it was validated, else the last. */
    private Path pretrained() {
        RunDirectory directory = new RunDirectory(experiment.saveDir().resolve(Experiment.PRETRAINING));
        return Files.exists(directory.best()) ? directory.best() : directory.newest();
    }
}
