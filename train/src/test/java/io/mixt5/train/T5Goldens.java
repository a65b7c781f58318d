package io.mixt5.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.mixt5.engine.Device;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.model.ModelGoldens;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Model;
import io.mixt5.train.optim.AdafactorOptimizer;
import io.mixt5.train.optim.AdamWOptimizer;
import io.mixt5.train.optim.Optimizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** T5 on a device, forward, backward, updated and generating, against PyTorch and transformers. */
abstract class T5Goldens {
    private final Device device;

    T5Goldens(String device) {
        this.device = Device.of(device);
    }

    @TempDir
    static Path directory;

    static Stream<ModelGoldens> goldens() throws IOException {
        Path copies = Files.createTempDirectory(directory, "goldens");
        Stream<ModelGoldens> own = Stream.of("tiny-t5-v1_1", "tiny-t5-v1_0")
                .map(name -> ModelGoldens.ofProject(name, copies));
        return SharedData.find("data/golden/tiny-t5-v1_1")
                .map(path -> Stream.concat(own, Stream.of(new ModelGoldens(path)))).orElse(own);
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void lossLogitsAndGradients(ModelGoldens goldens) {
        goldens.checkPass(device);
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void greedyIds(ModelGoldens goldens) {
        goldens.checkGreedy(device);
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void adamWLosses(ModelGoldens goldens) {
        JsonNode losses = goldens.json.path("adamw_losses_lr1e-3_wd0.01");
        check(goldens, losses, 1e-3,
                model -> new AdamWOptimizer(model.parameters().all(), p -> 0.01, 0.9, 0.999, 1e-8));
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void adafactorLosses(ModelGoldens goldens) {
        JsonNode losses = goldens.json.path("adafactor_losses_lr1e-2_scaled");
        check(goldens, losses, 1e-2, model -> new AdafactorOptimizer(model.parameters().all(), p -> 0));
    }

    private void check(ModelGoldens goldens, JsonNode losses, double learningRate, Function<T5Model, Optimizer> make) {
        try (T5Model model = T5Model.load(goldens.directory(), device); Optimizer optimizer = make.apply(model)) {
            T5Batch batch = goldens.batch(model.config());
            for (JsonNode expected : losses) {
                try (Scope scope = new Scope(device)) {
                    model.parameters().clearGradients();
                    Tape tape = Tape.recording(scope);
                    Tensor loss = model.forward(tape, batch).loss();
                    assertEquals(expected.asDouble(), loss.toFloats()[0], 1e-4, "loss " + expected);
                    tape.backward(loss);
                    optimizer.step(learningRate, null, 0);
                }
            }
        }
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
