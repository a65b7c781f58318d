package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.Device;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The model on the reference backend against PyTorch and transformers. */
class T5GoldenTest {
    @TempDir
    Path directory;
    private final Device device = Device.of("reference");

    @ParameterizedTest
    @ValueSource(strings = {"tiny-t5-v1_1", "tiny-t5-v1_0"})
    void lossLogitsAndGradientsEqualPyTorchs(String name) {
        ModelGoldens.ofProject(name, directory).checkPass(device);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-t5-v1_1", "tiny-t5-v1_0"})
    void greedyIdsEqualTransformers(String name) {
        ModelGoldens.ofProject(name, directory).checkGreedy(device);
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
