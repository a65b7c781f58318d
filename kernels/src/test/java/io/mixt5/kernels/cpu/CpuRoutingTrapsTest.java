package io.mixt5.kernels.cpu;

import io.mixt5.engine.Backend;
import io.mixt5.engine.BackendRoutingTraps;
import org.junit.jupiter.api.Tag;

/** The CPU's routing on the examples worked out by hand. */
@Tag("every-width")
class CpuRoutingTrapsTest extends BackendRoutingTraps {
    @Override
    protected Backend backend() {
        return new CpuBackend();
    }
}
