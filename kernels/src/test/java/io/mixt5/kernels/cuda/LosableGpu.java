package io.mixt5.kernels.cuda;

import io.mixt5.ffm.cuda.CudaException;
import io.mixt5.ffm.cuda.StandIn;
import io.mixt5.kernels.emulator.Emulator;

/**
 * The device {@code cuda} behind the stand-in for CUDA's driver, to be lost in the middle of something. For the tests of
 * those who use devices and know of no driver; in a JVM of its own, since what is lost stays lost.
 */
public final class LosableGpu implements AutoCloseable {
    private static final String GEMM = "mixt5.cuda.gemm";
    private static final String LAUNCH = "cuLaunchKernel";

    private final String gemm;
    private final StandIn standIn;

    /** What is there until closed. */
    public LosableGpu() {
        // The stand-in's cuBLAS rounds otherwise than the emulator.
        gemm = System.setProperty(GEMM, "own");
        standIn = StandIn.install(new Emulator());
    }

    /** Ends the calling test, saying so, where there is no stand-in. */
    public static void assumeAvailable() {
        StandIn.assumeAvailable();
    }

    /** How many kernels have been launched. */
    public long launches() {
        return standIn.calls(LAUNCH);
    }

    /** Loses the device at the launch number {@code launch} from now on. */
    public void loseAt(int launch) {
        standIn.fail(LAUNCH, launch, CudaException.LAUNCH_FAILED);
    }

    @Override
    public void close() {
        standIn.close();
        if (gemm == null) {
            System.clearProperty(GEMM);
        } else {
            System.setProperty(GEMM, gemm);
        }
    }
}
