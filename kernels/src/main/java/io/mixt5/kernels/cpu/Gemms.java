package io.mixt5.kernels.cpu;

import io.mixt5.engine.UserException;
import io.mixt5.ffm.NativeLibraries;
import io.mixt5.ffm.OpenBlas;

/**
 * The {@link Gemm} of this process, chosen once.
 *
 * <p>System property {@code mixt5.gemm} says {@code blas} (OpenBLAS) or {@code vector} (ours). Without it the width of
 * the vectors ({@link Lanes}) decides: with 512 bits ours is the faster one, so it is chosen; otherwise OpenBLAS, and
 * ours where OpenBLAS does not load, with one warning. Measured on one Zen 5 core (peak 245 GFLOP/s) at the layers of
 * T5-small, 4096 tokens: ours runs at 200 to 235 GFLOP/s, OpenBLAS 0.3.31 at 100 to 210 with its AVX-512 kernels and at
 * 70 to 105 with those for AVX2. With 256 bits, on a Zen 3 core, ours runs at 60 to 70 and OpenBLAS at 75 to 85.
 */
public final class Gemms {
    /** Bits of the vectors with which ours wins. */
    private static final int WIDE = 512;

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
        if ("vector".equals(wish) || wish == null && Lanes.F.vectorBitSize() == WIDE) {
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
