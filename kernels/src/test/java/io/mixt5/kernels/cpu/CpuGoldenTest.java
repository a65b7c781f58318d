package io.mixt5.kernels.cpu;

import io.mixt5.engine.Backend;
import io.mixt5.engine.BackendGoldens;
import org.junit.jupiter.api.Tag;

/** The CPU's kernels against PyTorch's numbers. */
@Tag("every-width")
class CpuGoldenTest extends BackendGoldens {
    @Override
    protected Backend backend() {
        return new CpuBackend();
    }
}
