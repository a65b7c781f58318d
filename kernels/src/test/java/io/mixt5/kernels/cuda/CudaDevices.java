package io.mixt5.kernels.cuda;

import io.mixt5.ffm.cuda.LibCuda;
import io.mixt5.ffm.cuda.StandIn;
import io.mixt5.kernels.emulator.Emulator;
import io.mixt5.kernels.emulator.EmulatorSettings;
import io.mixt5.kernels.emulator.sanitizer.Sanitizer;

/**
 * The device that CUDA's tests run on: the emulator with its sanitizer on, behind the stand-in for libcuda, so that
 * every call takes the way that it takes to a GPU; or a GPU, when Maven runs with {@code -Pgpu}; or, where there is no C compiler to build the
 * stand-in, the emulator itself.
 */
final class CudaDevices {
    private static final boolean GPU = Boolean.getBoolean("mixt5.gpu");
    private static CudaBackend backend;

    private CudaDevices() {
    }

    /** One backend for all tests of this process. */
    static synchronized CudaBackend backend() {
        if (backend == null) {
            backend = make();
            System.out.println("CUDA tests run on " + backend.gpu().description());
        }
        return backend;
    }

    private static CudaBackend make() {
        // The stand-in has a cuBLAS too, which multiplies on the CPU; CuBlasGemmTest is about that one.
        System.setProperty("mixt5.cuda.gemm", "own");
        if (GPU) {
            return new CudaBackend();
        }
        String missing = StandIn.unavailable();
        if (missing != null) {
            System.out.println("The FFM layer is NOT tested, as there is no stand-in for libcuda: " + missing);
            return new CudaBackend("emulator", CudaDevices::sanitized, 0);
        }
        StandIn.install(sanitized());
        return new CudaBackend("cuda", LibCuda::driver, 0);
    }

    private static Emulator sanitized() {
        return new Emulator(EmulatorSettings.DEFAULT.withMonitor(new Sanitizer()));
    }

    /** Whether the tests run on an emulated device. */
    static boolean emulated() {
        return !GPU;
    }
}
