package io.mixt5.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Backend;
import io.mixt5.engine.BackendGoldens;
import org.junit.jupiter.api.BeforeAll;

/** The CUDA kernels against PyTorch's numbers, on the device of {@link CudaDevices}. */
class CudaGoldenTest extends BackendGoldens {
    @BeforeAll
    static void sayWhere() {
        String device = CudaDevices.backend().gpu().description();
        assertTrue(!CudaDevices.emulated() || device.contains("emulat"), "not emulated: " + device);
    }

    @Override
    protected Backend backend() {
        return CudaDevices.backend();
    }
}
