package io.mixt5.kernels.cuda;

import io.mixt5.kernels.emulator.Emulator;

/** The CUDA backend on the {@link Emulator}: the same kernels, executed on the CPU. Slow; for tests and for looking. */
public final class EmulatorBackend extends CudaBackend {
    /** An emulated GPU of its own. */
    public EmulatorBackend() {
        super("emulator", Emulator::new, 0);
    }

    @Override
    public String unavailable() {
        return null;
    }
}
