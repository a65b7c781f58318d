package io.mixt5.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.Device;
import io.mixt5.model.ModelGoldens;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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

    static Stream<ModelGoldens> goldensOfAdafactor() throws IOException {
        return goldens().filter(goldens -> goldens.json.has(LossGoldens.ADAFACTOR));
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
        LossGoldens.checkAdamW(goldens, device);
    }

    @ParameterizedTest
    @MethodSource("goldensOfAdafactor")
    void adafactorLosses(ModelGoldens goldens) {
        LossGoldens.checkAdafactor(goldens, device);
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
