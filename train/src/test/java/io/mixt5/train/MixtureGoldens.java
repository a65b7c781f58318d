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
import io.mixt5.train.optim.AdamWOptimizer;
import io.mixt5.train.optim.Optimizer;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Mixtures on a device against PyTorch: losses, counts, drops, gradients, five AdamW losses. */
abstract class MixtureGoldens {
    /** The goldens were made by a transformers that scales although its head is not tied. */
    private static final String SCALED = "'scale_decoder_outputs': true";
    private static final String SWITCH = SCALED + ", 'router_gate': 'raw', 'eval_capacity_policy': 'capacity',"
            + " 'eval_capacity_factor': 1.0, 'router_aux_loss_coef': 0.01";

    @TempDir
    Path directory;
    private final Device device;

    MixtureGoldens(String device) {
        this.device = Device.of(device);
    }

    @Test
    void topTwoRenormalized() {
        check("data/golden/tiny-mixt5-top2", SCALED);
    }

    @Test
    void switchTopOne() {
        check("data/golden/tiny-switch-top1", SWITCH);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-moe-top2", "tiny-moe-top1"})
    void ownGoldens(String name) {
        check(ModelGoldens.ofProject(name, directory));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-switch-tied", "tiny-switch-untied"})
    void switchTransformers(String name) {
        ModelGoldens.ofProject(name, directory).checkPass(device);
    }

    private void check(String name, String keys) {
        check(ModelGoldens.copy(SharedData.require(name), directory.resolve("model"), keys));
    }

    private void check(ModelGoldens goldens) {
        goldens.checkPass(device);
        try (T5Model model = T5Model.load(goldens.directory(), device);
                Optimizer optimizer = new AdamWOptimizer(model.parameters().all(), p -> 0.01, 0.9, 0.999, 1e-8)) {
            T5Batch batch = goldens.batch(model.config());
            for (JsonNode expected : goldens.json.get("adamw_losses_lr1e3_wd001")) {
                try (Scope scope = new Scope(device)) {
                    model.parameters().clearGradients();
                    Tape tape = Tape.recording(scope);
                    Tensor loss = model.forward(tape, batch).loss();
                    assertEquals(expected.asDouble(), loss.toFloats()[0], 1e-4, "loss " + expected);
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
