package io.mixt5.kernels.cuda;

import io.mixt5.engine.Backend;
import io.mixt5.engine.BackendRoutingTraps;

/** CUDA's routing on the examples worked out by hand, on the device of {@link CudaDevices}. */
class CudaRoutingTrapsTest extends BackendRoutingTraps {
    @Override
    protected Backend backend() {
        return CudaDevices.backend();
    }
}
