package io.mixt5.kernels.cuda;

import io.mixt5.engine.UserException;

/**
 * The {@link Gemm} of a device. System property {@code mixt5.cuda.gemm} says {@code own} (our kernels) or
 * {@code cublas}. Without it cuBLAS is used where it loads; what came of that is in
 * {@link io.mixt5.ffm.NativeLibraries}.
 */
final class Gemms {
    private static final String PROPERTY = "mixt5.cuda.gemm";

    private Gemms() {
    }

    /**
     * The one to use on {@code gpu}.
     *
     * @throws UserException when the property asks for what there is not
     */
    static Gemm choose(CudaGpu gpu) {
        return choose(gpu, System.getProperty(PROPERTY));
    }

    static Gemm choose(CudaGpu gpu, String wish) {
        if (wish != null && !wish.equals("own") && !wish.equals("cublas")) {
            throw new UserException("System property " + PROPERTY + " is '" + wish + "': use own or cublas.");
        }
        if ("own".equals(wish)) {
            return new OwnGemm(gpu);
        }
        String missing = CuBlasGemm.unavailable(gpu);
        if (missing == null) {
            return new CuBlasGemm(gpu);
        }
        if (wish != null) {
            throw new UserException("System property " + PROPERTY + " asks for cuBLAS, which cannot be used: "
                    + missing + ".");
        }
        return new OwnGemm(gpu);
    }
}
