package io.mixt5.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Backend;
import io.mixt5.engine.BackendConformance;
import org.junit.jupiter.api.BeforeAll;

/** The CUDA kernels against the reference, in every type, on the device of {@link CudaDevices}. */
class CudaConformanceTest extends BackendConformance {
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
