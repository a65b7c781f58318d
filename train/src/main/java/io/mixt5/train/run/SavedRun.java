package io.mixt5.train.run;

import io.mixt5.engine.Tensor;
import io.mixt5.engine.UserException;
import io.mixt5.model.T5Model;
import io.mixt5.model.io.SafetensorsFile;
import io.mixt5.model.io.SafetensorsTensor;
import io.mixt5.model.io.SafetensorsType;
import io.mixt5.model.io.SafetensorsWriter;
import io.mixt5.model.io.StrictJson;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.optim.Optimizer;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A checkpoint: a model's directory with all that a run goes on from. {@code optimizer.safetensors} has the optimiser,
 * {@code trainer_state.json} the place in the run, which with the seed is the place in the data, the schedule and the random
 * numbers, {@code run_settings.json} what these depend on, and {@code SHA256SUMS} the sums of all files.
 *
 * @param directory where it lies
 * @param state where the run stood
 */
public record SavedRun(Path directory, TrainState state) {
    private static final String OPTIMIZER = "optimizer.safetensors";
    private static final String STATE = "trainer_state.json";
    private static final String SETTINGS = "run_settings.json";

    /** Of whole files. */
    static SavedRun read(Path directory) {
        return new SavedRun(directory, StrictJson.read(directory.resolve(STATE), TrainState.class));
    }

    /**
     * After a check of all files.
     *
     * @throws UserException when one is not as it was written
     */
    static SavedRun readWhole(Path directory) {
        String damage = Checksums.damage(directory);
        if (damage != null) {
            throw new UserException(directory + " cannot be gone on from: " + damage + "; name another checkpoint");
        }
        return read(directory);
    }

    /** Writes one into {@code directory}, which is empty. */
    static void write(Path directory, T5Model model, T5Tokenizer tokenizer, Optimizer optimizer, TrainState state,
            RunSettings settings) {
        model.save(directory);
        tokenizer.save(directory);
        try (Arena arena = Arena.ofConfined()) {
            List<SafetensorsTensor> tensors = new ArrayList<>();
            optimizer.state().forEach((name, tensor) -> tensors.add(new SafetensorsTensor(name, SafetensorsType.F32,
                    tensor.shape().dims(), tensor.toHost(arena))));
            SafetensorsWriter.write(directory.resolve(OPTIMIZER), tensors);
        }
        StrictJson.write(directory.resolve(STATE), state);
        StrictJson.write(directory.resolve(SETTINGS), settings.values());
        Checksums.write(directory);
    }

    /** What the run was like. */
    RunSettings settings() {
        return new RunSettings(StrictJson.readObject(directory.resolve(SETTINGS)));
    }

    /** Fills the optimiser's state. */
    void restore(Optimizer optimizer) {
        try (SafetensorsFile file = SafetensorsFile.open(directory.resolve(OPTIMIZER))) {
            for (Map.Entry<String, Tensor> entry : optimizer.state().entrySet()) {
                entry.getValue().upload(file.require(entry.getKey(), entry.getValue().shape().dims()).data());
            }
        }
    }
}
