package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.Device;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mixtures on the reference backend against PyTorch. */
class MixtureGoldenTest {
    @TempDir
    Path directory;
    private final Device device = Device.of("reference");

    @Test
    void topTwoRenormalized() {
        ModelGoldens.copy(Path.of(System.getProperty("mixt5.shared")).resolve("data/golden/tiny-mixt5-top2"),
                directory.resolve("a"), "'scale_decoder_outputs': true").checkPass(device);
    }

    @Test
    void switchTopOne() {
        ModelGoldens.copy(Path.of(System.getProperty("mixt5.shared")).resolve("data/golden/tiny-switch-top1"),
                directory.resolve("a"),
                "'scale_decoder_outputs': true, 'router_gate': 'raw', 'eval_capacity_policy': 'capacity', 'eval_capacity_factor': 1.0, 'router_aux_loss_coef': 0.01")
                .checkPass(device);
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
