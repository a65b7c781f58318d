package io.mixt5.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.Device;
import io.mixt5.model.ModelGoldens;
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
        LossGoldens.checkAdamW(goldens, device);
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
