package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.Device;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models with mixtures on the reference backend against PyTorch: losses, counts, drops, every gradient. */
class MixtureGoldenTest {
    @TempDir
    Path directory;
    private final Device device = Device.of("reference");

    @ParameterizedTest
    @ValueSource(strings = {"tiny-moe-top2", "tiny-moe-top1"})
    void lossLogitsRoutingAndGradientsEqualPyTorchs(String name) {
        ModelGoldens.ofProject(name, directory).checkPass(device);
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
