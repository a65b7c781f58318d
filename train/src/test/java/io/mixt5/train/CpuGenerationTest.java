package io.mixt5.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.Device;
import io.mixt5.model.GenerationGoldens;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Generation on the CPU against transformers: every id of all 50 prompts. */
class CpuGenerationTest {
    @TempDir
    static Path directory;
    private static List<GenerationGoldens> goldens;
    private final Device device = Device.of("cpu");

    @BeforeAll
    static void read() {
        goldens = GenerationGoldens.all(directory);
    }

    static Stream<Arguments> cases() {
        return GenerationGoldens.cases(goldens);
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("cases")
    void idsAndScoresEqualTransformers(GenerationGoldens all, String name) {
        all.check(name, device, all.prompts().size(), all.prompts().size());
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("cases")
    void batchesMakeNoDifference(GenerationGoldens all, String name) {
        all.check(name, device, 20, 3);
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
