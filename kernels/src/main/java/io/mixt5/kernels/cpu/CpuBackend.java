package io.mixt5.kernels.cpu;

import io.mixt5.engine.HostMemory;
import io.mixt5.engine.Kernel;
import io.mixt5.engine.KernelTable;

/** All of this machine's processors: kernels by the Vector API, matrix products by {@link Gemms}. */
public final class CpuBackend extends HostMemory {
    static {
        JitDirectives.begin();
    }

    private final KernelTable kernels = new KernelTable(CpuBackend.class, "Cpu");

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public String unavailable() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
                ? null
                : "Java runs without its vector module; start it with --add-modules jdk.incubator.vector";
    }

    @Override
    public <K extends Kernel> K kernel(Class<K> type) {
        JitDirectives.await();
        return kernels.get(type);
    }
}
