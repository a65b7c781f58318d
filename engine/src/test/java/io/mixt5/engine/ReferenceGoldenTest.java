package io.mixt5.engine;

import io.mixt5.engine.reference.ReferenceBackend;

/** The reference against PyTorch. */
class ReferenceGoldenTest extends BackendGoldens {
    @Override
    protected Backend backend() {
        return new ReferenceBackend();
    }
}
