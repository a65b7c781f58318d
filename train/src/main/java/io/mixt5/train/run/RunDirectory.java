package io.mixt5.train.run;

import io.mixt5.engine.Tensor;
import io.mixt5.engine.UserException;
import io.mixt5.model.T5Model;
import io.mixt5.model.io.SafetensorsFile;
import io.mixt5.model.io.SafetensorsTensor;
import io.mixt5.model.io.SafetensorsType;
import io.mixt5.model.io.SafetensorsWriter;
import io.mixt5.model.io.StrictJson;
import io.mixt5.model.io.UserFiles;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.card.ModelCard;
import io.mixt5.train.optim.Optimizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A run's directory: {@code last/} and {@code best/} are whole models that transformers reads; {@code last/} also holds the
 * optimiser's state and where the run stands.
 *
 * <p>A checkpoint is written aside and then renamed, so that there is a whole one at any moment.
 */
public final class RunDirectory {
    private static final String OPTIMIZER = "optimizer.safetensors";
    private static final String STATE = "trainer_state.json";

    private final Path root;

    /** The directory, made if need be; throws a {@link UserException} when it cannot be written. */
    public RunDirectory(Path root) {
        UserFiles.requireWritableDirectory(root);
        this.root = root;
    }

    /** The newest checkpoint. */
    public Path last() {
        return root.resolve("last");
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

    /** Replaces {@link #best}; the model's card goes with it. */
    public void saveBest(T5Model model, T5Tokenizer tokenizer, ModelCard card) {
        WholeDirectory.replace(best(), directory -> {
            saveModel(directory, model, tokenizer);
            card.write(directory);
        });
    }

    /** Replaces {@link #last}. */
    public void saveLast(T5Model model, T5Tokenizer tokenizer, Optimizer optimizer, TrainState state) {
        WholeDirectory.replace(last(), directory -> {
            saveModel(directory, model, tokenizer);
            try (Arena arena = Arena.ofConfined()) {
                List<SafetensorsTensor> tensors = new ArrayList<>();
                optimizer.state().forEach((name, tensor) -> tensors.add(new SafetensorsTensor(name, SafetensorsType.F32,
                        tensor.shape().dims(), tensor.toHost(arena))));
                SafetensorsWriter.write(directory.resolve(OPTIMIZER), tensors);
            }
            StrictJson.write(directory.resolve(STATE), state);
        });
    }

    /** Where the checkpoint in {@link #last} stands, or null when there is none. */
    public TrainState lastState() {
        WholeDirectory.finishReplacing(last());
        return Files.exists(last().resolve(STATE)) ? StrictJson.read(last().resolve(STATE), TrainState.class) : null;
    }

    /** Removes what an earlier run left; gives null, as there is no state any more. */
    public TrainState cleared() {
        removeModels();
        try {
            Files.deleteIfExists(predictions());
        } catch (IOException e) {
            throw UserFiles.cannotWrite(predictions(), e);
        }
        return null;
    }

    /** Removes {@link #last} and {@link #best}. */
    public void removeModels() {
        WholeDirectory.delete(last());
        WholeDirectory.delete(best());
    }

    /** Fills the optimiser's state from {@link #last}. */
    public void restore(Optimizer optimizer) {
        try (SafetensorsFile file = SafetensorsFile.open(last().resolve(OPTIMIZER))) {
            for (Map.Entry<String, Tensor> entry : optimizer.state().entrySet()) {
                entry.getValue().upload(file.require(entry.getKey(), entry.getValue().shape().dims()).data());
            }
        }
    }

    private static void saveModel(Path directory, T5Model model, T5Tokenizer tokenizer) {
        model.save(directory);
        tokenizer.save(directory);
    }
}
