package io.mixt5.train;

/** The device of CUDA's tests: the emulator, or the GPU when Maven runs with {@code -Pgpu}. */
final class CudaTestDevice {
    static final String NAME = Boolean.getBoolean("mixt5.gpu") ? "cuda" : "emulator";

    private CudaTestDevice() {
    }
}
