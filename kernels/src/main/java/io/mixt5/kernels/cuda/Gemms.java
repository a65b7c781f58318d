package io.mixt5.kernels.cuda;

/** The {@link Gemm} of a device. */
final class Gemms {
    private Gemms() {
    }

    /** The one to use on {@code gpu}. */
    static Gemm choose(CudaGpu gpu) {
        return new OwnGemm(gpu);
    }
}
