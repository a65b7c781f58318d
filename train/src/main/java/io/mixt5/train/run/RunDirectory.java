package io.mixt5.train.run;

import io.mixt5.engine.Tensor;
import io.mixt5.engine.UserException;
import io.mixt5.model.T5Model;
import io.mixt5.model.io.UserFiles;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.card.ModelCard;
import io.mixt5.train.optim.Optimizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * A run's directory: {@code checkpoint-<step>/} and {@code best/} are whole models that transformers reads; a checkpoint also
 * holds all that the run goes on from ({@link SavedRun}).
 *
 * <p>Each is written aside, forced to the disk and then renamed, so that there is a whole one at any moment.
 */
public final class RunDirectory {
    /** Room for what lies beside the tensors: tokenizer, configuration, headers. */
    private static final long OTHER_FILES = 4L << 20;

    private final Path root;
    private final Checkpoints checkpoints;

    /**
     * The directory, made if need be. What an interrupted run had begun to write there is removed.
     *
     * @throws UserException when it cannot be written
     */
    public RunDirectory(Path root) {
        UserFiles.requireWritableDirectory(root);
        this.root = root;
        checkpoints = new Checkpoints(root);
    }

    /** The newest checkpoint; null when there is none. */
    public Path newest() {
        return checkpoints.newest();
    }

    /** The place of the checkpoint after {@code step} updates. */
    public Path checkpoint(int step) {
        return checkpoints.at(step);
    }

    /** The model that did best in validation. */
    public Path best() {
        return root.resolve("best");
    }

    /** Where the metrics go, one JSON object a line. */
    public Path metrics() {
        return root.resolve("metrics.jsonl");
    }

    /** Where the answers of the last validation go. */
    public Path predictions() {
        return root.resolve("predictions.json");
    }

    /** The place for data that the run itself makes. */
    public Path data() {
        return root.resolve("data");
    }

    /**
     * Checks that the disk has room for all that the run will keep at a time.
     *
     * @param limit checkpoints that are kept
     * @param best whether {@link #best} will be saved
     * @throws UserException when it has not
     */
    void requireRoom(T5Model model, Optimizer optimizer, int limit, boolean best) {
        // A new one is there before the oldest is removed.
        long bytes = (limit + 1) * checkpointBytes(model, optimizer) + (best ? 2 * modelBytes(model) : 0);
        DiskSpace.require(root, bytes - usedByModels(), "for " + limit + " checkpoints"
                + (best ? ", the best model" : "") + " and one more while it is written",
                "free some, lower save_total_limit, or choose another save_dir");
    }

    /**
     * Replaces {@link #best}; the model's card goes with it.
     *
     * @throws UserException when it cannot be written; it is then as it was
     */
    public void saveBest(T5Model model, T5Tokenizer tokenizer, ModelCard card) {
        requireRoomFor(best(), modelBytes(model));
        WholeDirectory.replace(best(), directory -> {
            model.save(directory);
            tokenizer.save(directory);
            card.write(directory);
        });
    }

    /**
     * Adds the checkpoint after {@code state.step()} updates and removes the oldest beyond {@code limit}.
     *
     * @param limit at least 1
     * @throws UserException when it cannot be written; what was there is then still there
     */
    void save(T5Model model, T5Tokenizer tokenizer, Optimizer optimizer, TrainState state, RunSettings settings,
            int limit) {
        Path target = checkpoint(state.step());
        requireRoomFor(target, checkpointBytes(model, optimizer));
        WholeDirectory.replace(target,
                directory -> SavedRun.write(directory, model, tokenizer, optimizer, state, settings));
        checkpoints.prune(limit);
    }

    private long usedByModels() {
        long used = Files.exists(best()) ? DiskSpace.used(best()) : 0;
        return used + checkpoints.all().values().stream().mapToLong(DiskSpace::used).sum();
    }

    private void requireRoomFor(Path target, long bytes) {
        DiskSpace.require(root, bytes, "for " + target, "free some");
    }

    private static long modelBytes(T5Model model) {
        return OTHER_FILES + model.parameters().all().stream().mapToLong(p -> p.value().bytes()).sum();
    }

    private static long checkpointBytes(T5Model model, Optimizer optimizer) {
        return modelBytes(model) + optimizer.state().values().stream().mapToLong(Tensor::bytes).sum();
    }

    /**
     * The newest whole checkpoint, to go on from; null when there is none.
     *
     * @param warnings told of newer ones that are damaged, which get another name
     * @throws UserException when there are checkpoints, and all are damaged
     */
    SavedRun newestWhole(Consumer<String> warnings) {
        Path newest = checkpoints.newestWhole(warnings);
        return newest == null ? null : SavedRun.read(newest);
    }

    /**
     * The checkpoint {@code directory}, here or of another run, to go on from.
     *
     * @throws UserException when it is damaged, or there are later ones here, which the run would come in conflict with
     */
    SavedRun resume(Path directory) {
        SavedRun saved = SavedRun.readWhole(directory);
        int step = saved.state().step();
        if (!checkpoints.all().tailMap(step + 1).isEmpty()) {
            throw new UserException(checkpoints.newest() + " is later than " + directory + ", which 'resume' names; "
                    + "go on from the later one with resume: auto, or use another save_dir");
        }
        return saved;
    }

    /** Removes what an earlier run left. */
    void clear() {
        removeModels();
        try {
            Files.deleteIfExists(predictions());
        } catch (IOException e) {
            throw UserFiles.cannotWrite(predictions(), e);
        }
    }

    /** Removes all checkpoints and {@link #best}. */
    public void removeModels() {
        checkpoints.prune(0);
        WholeDirectory.delete(best());
    }
}
