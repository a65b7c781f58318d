package io.mixt5.train.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.mixt5.engine.Device;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.Tensor;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.optim.AdamWOptimizer;
import io.mixt5.train.optim.Optimizer;
import io.mixt5.train.quickstart.Quickstart;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints of a device whose memory the host does not see. */
class RunDirectoryTest {
    @TempDir
    Path directory;
    private final Device device = Device.of("emulator");

    @Test
    void aCheckpointBringsBackModelAndOptimizer() {
        assertFalse(device.backend().hostVisible());
        new Quickstart(6, 2, 3, 300).write(directory.resolve("data"), 5);
        RunDirectory run = new RunDirectory(directory.resolve("run"));
        TrainState state = TrainState.start(7).advanced(3, false, new LossScale(512, 4, 2)).improved(50, 60);
        try (T5Tokenizer tokenizer = T5Tokenizer.load(directory.resolve("data/spiece.model"));
                T5Model model = T5Model.random(shape(), device, 3);
                Optimizer optimizer = optimizer(model)) {
            int fill = 1;
            for (Tensor tensor : optimizer.state().values()) {
                double[] values = new double[(int) tensor.count()];
                java.util.Arrays.fill(values, fill++);
                tensor.upload(values);
            }
            run.save(model, tokenizer, optimizer, state, settings(), 2);
            try (T5Model loaded = T5Model.load(run.newest(), device); Optimizer restored = optimizer(loaded)) {
                run.newestWhole(Assertions::fail).restore(restored);
                for (Parameter parameter : model.parameters().all()) {
                    assertArrayEquals(parameter.value().toFloats(),
                            loaded.parameters().get(parameter.name()).value().toFloats(), parameter.name());
                }
                for (Map.Entry<String, Tensor> entry : optimizer.state().entrySet()) {
                    assertArrayEquals(entry.getValue().toFloats(), restored.state().get(entry.getKey()).toFloats(),
                            entry.getKey());
                }
            }
        }
        SavedRun saved = run.newestWhole(Assertions::fail);
        assertEquals(state, saved.state());
        assertEquals(run.checkpoint(1), saved.directory());
        assertEquals(settings(), saved.settings());
    }

    private static RunSettings settings() {
        return new RunSettings(JsonNodeFactory.instance.objectNode().put("optim", "ADAMW"));
    }

    private static T5Config shape() {
        T5Config shape = T5Config.preset("tiny");
        shape.vocabSize = 40;
        shape.dModel = 8;
        shape.dKv = 4;
        shape.dFf = 8;
        return shape;
    }

    private static Optimizer optimizer(T5Model model) {
        return new AdamWOptimizer(model.parameters().all(), p -> 0, 0.9, 0.999, 1e-8);
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
