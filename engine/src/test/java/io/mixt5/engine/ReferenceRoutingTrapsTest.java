package io.mixt5.engine;

import io.mixt5.engine.reference.ReferenceBackend;

/** The reference's routing on the examples worked out by hand. */
class ReferenceRoutingTrapsTest extends BackendRoutingTraps {
    @Override
    protected Backend backend() {
        return new ReferenceBackend();
    }
}
