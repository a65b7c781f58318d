package io.mixt5.train.run;

import io.mixt5.engine.UserException;
import io.mixt5.model.T5Model;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.card.ModelCard;
import io.mixt5.train.optim.Optimizer;
import java.util.function.Consumer;

/**
 * Saves a run as it goes. One that cannot be saved now goes on: the checkpoints before are whole, and the next that is due is
 * tried again. Only the last must not fail.
 */
final class CheckpointKeeper {
    private final RunDirectory directory;
    private final T5Model model;
    private final T5Tokenizer tokenizer;
    private final Optimizer optimizer;
    private final RunSettings settings;
    private final int limit;
    private final Consumer<String> warnings;
    /** Of the last checkpoint that was due; null when it could be saved. */
    private UserException failure;

    /**
     * Of one run.
     *
     * @param limit checkpoints to keep
     * @param warnings told of what could not be saved
     */
    CheckpointKeeper(RunDirectory directory, T5Model model, T5Tokenizer tokenizer, Optimizer optimizer,
            RunSettings settings, int limit, Consumer<String> warnings) {
        this.directory = directory;
        this.model = model;
        this.tokenizer = tokenizer;
        this.optimizer = optimizer;
        this.settings = settings;
        this.limit = limit;
        this.warnings = warnings;
    }

    /** Saves where the run stands, if it can. */
    void save(TrainState state) {
        failure = attempt("the checkpoint after step " + state.step(),
                () -> directory.save(model, tokenizer, optimizer, state, settings, limit));
    }

    /** Saves the model as the best, with its card, if it can; whether it could. */
    boolean saveBest(int step, ModelCard card) {
        return attempt("the best model, after step " + step, () -> directory.saveBest(model, tokenizer, card)) == null;
    }

    private UserException attempt(String what, Runnable save) {
        try {
            save.run();
            return null;
        } catch (UserException e) {
            warnings.accept(what + " could not be saved: " + e.getMessage()
                    + "; what was saved before is whole, and the run goes on");
            return e;
        }
    }

    /**
     * Called when the run goes no further.
     *
     * @throws UserException when its last checkpoint could not be saved
     */
    void requireSaved() {
        if (failure != null) {
            throw new UserException("the run's last checkpoint could not be saved: " + failure.getMessage()
                    + "; the same command then goes on from the one before", failure);
        }
    }
}
