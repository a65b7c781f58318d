package io.mixt5.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.mixt5.engine.Device;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.model.ModelGoldens;
import io.mixt5.model.Precision;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Model;
import io.mixt5.train.optim.AdamWOptimizer;
import io.mixt5.train.optim.Optimizer;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Models in the half types on an emulated GPU, or on a real one, against PyTorch's F32 numbers: within 8 roundings of
 * the type, gradients within some per cent of their norm, five losses of AdamW within 2 roundings.
 */
class CudaHalvesTest {
    private final Device device = Device.of(CudaTestDevice.NAME);

    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource({"tiny-t5-v1_1, BF16", "tiny-t5-v1_1, FP16", "tiny-moe-top2, BF16", "tiny-moe-top2, FP16",
            "tiny-moe-top1, BF16", "tiny-moe-top1, FP16"})
    void passesAndUpdatesAreNearPyTorchs(String name, Precision precision) {
        double rounding = precision == Precision.BF16 ? 1.0 / 256 : 1.0 / 2048;
        ModelGoldens goldens = ModelGoldens.ofProject(name, directory);
        goldens.checkPass(device, precision, 8 * rounding, precision == Precision.BF16 ? 0.125 : 0.03);
        JsonNode losses = goldens.json.has("adamw_losses_lr1e3_wd001")
                ? goldens.json.get("adamw_losses_lr1e3_wd001")
                : goldens.json.get("adamw_losses_lr1e-3_wd0.01");
        assertEquals(5, losses.size());
        try (T5Model model = T5Model.load(goldens.directory(), device).compute(precision);
                Optimizer optimizer = new AdamWOptimizer(model.parameters().all(), p -> 0.01, 0.9, 0.999, 1e-8)) {
            T5Batch batch = goldens.batch(model.config());
            for (JsonNode expected : losses) {
                try (Scope scope = new Scope(device)) {
                    model.parameters().clearGradients();
                    Tape tape = Tape.recording(scope);
                    Tensor loss = model.forward(tape, batch).loss();
                    assertEquals(expected.asDouble(), loss.toFloats()[0], 2 * rounding * expected.asDouble());
                    tape.backward(loss);
                    optimizer.step(1e-3, null, 0);
                }
            }
        }
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
