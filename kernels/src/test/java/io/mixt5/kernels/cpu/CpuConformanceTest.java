package io.mixt5.kernels.cpu;

import io.mixt5.engine.Backend;
import io.mixt5.engine.BackendConformance;
import org.junit.jupiter.api.Tag;

/** The CPU's kernels against the reference, at the width of vectors that {@link Lanes} has in this process. */
@Tag("every-width")
class CpuConformanceTest extends BackendConformance {
    @Override
    protected Backend backend() {
        return new CpuBackend();
    }
}
