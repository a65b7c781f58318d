package io.mixt5.engine;

import io.mixt5.engine.reference.ReferenceBackend;

/** The reference against itself: guard zones, leaks, accumulation, completeness. */
class ReferenceConformanceTest extends BackendConformance {
    @Override
    protected Backend backend() {
        return new ReferenceBackend();
    }
}
