package io.mixt5.engine.reference;

import io.mixt5.engine.HostMemory;
import io.mixt5.engine.Kernel;
import io.mixt5.engine.KernelTable;

/**
 * Every op as plain loops that accumulate in double, on tensors of any float type: the living definition that other
 * backends are tested against. Slow by intention.
 */
public final class ReferenceBackend extends HostMemory {
    private final KernelTable kernels = new KernelTable(ReferenceBackend.class, "Reference");

    @Override
    public String name() {
        return "reference";
    }

    @Override
    public String unavailable() {
        return null;
    }

    @Override
    public <K extends Kernel> K kernel(Class<K> type) {
        return kernels.get(type);
    }
}
