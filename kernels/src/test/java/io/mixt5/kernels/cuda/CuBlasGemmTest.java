package io.mixt5.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.DType;
import io.mixt5.engine.UserException;
import io.mixt5.ffm.cuda.LibCuda;
import io.mixt5.ffm.cuda.StandIn;
import io.mixt5.kernels.emulator.Emulator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@link CuBlasGemm} on the stand-in for cuBLAS, which checks arguments as cuBLAS does, and who chooses it. */
class CuBlasGemmTest {
    private StandIn standIn;
    private CudaGpu gpu;

    @BeforeEach
    void install() {
        StandIn.assumeAvailable();
        standIn = StandIn.install(new Emulator());
        gpu = new CudaBackend("cuda", LibCuda::driver, 0).gpu();
    }

    @AfterEach
    void takeAway() {
        if (standIn != null) {
            standIn.close();
        }
    }

    @Test
    void equalsSumsInDoublePrecision() {
        Gemm gemm = Gemms.choose(gpu, "cublas");
        assertInstanceOf(CuBlasGemm.class, gemm);
        for (DType dtype : CudaGemmTest.TYPES) {
            CudaGemmTest.products(gpu, gemm, dtype, new int[]{5, 13, 7});
            CudaGemmTest.products(gpu, gemm, dtype, new int[]{4, 6, 0});
        }
        assertNotEquals(0, standIn.calls("cublasSgemm_v2"));
        assertNotEquals(0, standIn.calls("cublasGemmEx"));
        assertNotEquals(0, standIn.calls("cublasSetStream_v2"));
    }

    @Test
    void saysWhatFailed() {
        Gemm gemm = Gemms.choose(gpu, "cublas");
        standIn.fail("cublasSgemm_v2", 1, 13);
        String message = assertThrows(IllegalStateException.class,
                () -> CudaGemmTest.products(gpu, gemm, DType.F32, new int[]{5, 13, 7})).getMessage();
        assertTrue(message.startsWith("cublasSgemm failed with CUBLAS_STATUS_EXECUTION_FAILED"), message);
    }

    @Test
    void isChosenWhereItCanBeUsed() {
        CudaGpu emulated = new EmulatorBackend().gpu();
        assertInstanceOf(CuBlasGemm.class, Gemms.choose(gpu, null));
        assertInstanceOf(OwnGemm.class, Gemms.choose(gpu, "own"));
        assertInstanceOf(OwnGemm.class, Gemms.choose(emulated, null));
        assertEquals("System property mixt5.cuda.gemm asks for cuBLAS, which cannot be used: its memory is not CUDA's.",
                assertThrows(UserException.class, () -> Gemms.choose(emulated, "cublas")).getMessage());
        assertEquals("System property mixt5.cuda.gemm is 'fast': use own or cublas.",
                assertThrows(UserException.class, () -> Gemms.choose(gpu, "fast")).getMessage());
    }
}
