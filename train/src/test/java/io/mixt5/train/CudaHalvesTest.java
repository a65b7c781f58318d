package io.mixt5.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.Device;
import io.mixt5.model.ModelGoldens;
import io.mixt5.model.Precision;
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
        LossGoldens.checkAdamW(goldens, device, precision, loss -> 2 * rounding * loss);
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
