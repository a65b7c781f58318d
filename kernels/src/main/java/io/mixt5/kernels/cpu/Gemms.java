package io.mixt5.kernels.cpu;

import io.mixt5.engine.UserException;
import io.mixt5.ffm.NativeLibraries;
import io.mixt5.ffm.OpenBlas;

/**
 * The {@link Gemm} of this process, chosen once.
 *
 * <p>System property {@code mixt5.gemm} says {@code blas} (OpenBLAS) or {@code vector} (ours). Without it the choice
 * is OpenBLAS; ours where OpenBLAS does not load, with one warning.
 */
public final class Gemms {
    private static final Gemm GEMM = choose(System.getProperty("mixt5.gemm"));

    private Gemms() {
    }

    /** The chosen one. */
    public static Gemm gemm() {
        return GEMM;
    }

    private static Gemm choose(String wish) {
        if (wish != null && !wish.equals("blas") && !wish.equals("vector")) {
            throw new UserException("System property mixt5.gemm is '" + wish + "': use blas or vector.");
        }
        if ("vector".equals(wish)) {
            return new VectorGemm();
        }
        if (OpenBlas.available()) {
            return new BlasGemm();
        }
        String tried = String.join("; ", NativeLibraries.attempts(OpenBlas.NAME).stream()
                .map(NativeLibraries.Attempt::toString).toList());
        if (wish != null) {
            throw new UserException("System property mixt5.gemm asks for OpenBLAS, which does not load: " + tried);
        }
        System.getLogger(Gemms.class.getName()).log(System.Logger.Level.WARNING,
                "Matrix products run in Java, since OpenBLAS does not load: {0}", tried);
        return new VectorGemm();
    }
}
