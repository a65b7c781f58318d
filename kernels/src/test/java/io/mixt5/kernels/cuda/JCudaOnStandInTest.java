package io.mixt5.kernels.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.ffm.NativeLibraries;
import io.mixt5.ffm.cuda.FakeDriver;
import io.mixt5.ffm.cuda.StandIn;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasStatus;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** JCuda's own JNI libraries, unchanged, on the stand-ins: which of them the dynamic linker gave them, and products. */
class JCudaOnStandInTest {
    private final FakeDriver fake = new FakeDriver();
    private StandIn standIn;

    @BeforeEach
    void install() {
        StandIn.assumeAvailable();
        // Loads the stand-ins: what wants a library of their sonames later is given them.
        standIn = StandIn.install(fake);
        assertNull(JCudaNatives.load("JCublas2", JCublas2::initialize));
        assertTrue(NativeLibraries.attempts("JCublas2").getLast().loaded());
    }

    @AfterEach
    void takeAway() {
        if (standIn != null) {
            standIn.close();
        }
    }

    private static Pointer device(long address) {
        return new CUdeviceptr().withByteOffset(address);
    }

    /** Not an array, for which JCuda would keep garbage collection from starting while the stand-in runs Java. */
    private static Pointer scalar(float value) {
        return Pointer.to(ByteBuffer.allocateDirect(Float.BYTES).order(ByteOrder.nativeOrder()).putFloat(0, value));
    }

    private long floats(float... values) {
        long address = fake.allocate(values.length * 4L);
        MemorySegment.copy(values, 0, fake.memory(address, values.length * 4L), JAVA_FLOAT, 0, values.length);
        return address;
    }

    @Test
    void multipliesFloats() {
        cublasHandle handle = new cublasHandle();
        assertEquals(cublasStatus.CUBLAS_STATUS_SUCCESS, JCublas2.cublasCreate(handle));
        long a = floats(1, 4, 2, 5, 3, 6);
        long b = floats(1, 0, -1);
        long c = floats(10, 20);
        assertEquals(cublasStatus.CUBLAS_STATUS_SUCCESS,
                JCublas2.cublasSgemm(handle, cublasOperation.CUBLAS_OP_N, cublasOperation.CUBLAS_OP_N, 2, 1, 3,
                        scalar(2), device(a), 2, device(b), 3, scalar(0.5f), device(c), 2));
        assertArrayEquals(new float[]{1, 6}, fake.memory(c, 8).toArray(JAVA_FLOAT));
        assertEquals(1, standIn.calls("cublasSgemm_v2"));
        assertEquals(cublasStatus.CUBLAS_STATUS_SUCCESS, JCublas2.cublasDestroy(handle));
    }

    @Test
    void multipliesHalvesBySumsInFloats() {
        cublasHandle handle = new cublasHandle();
        assertEquals(cublasStatus.CUBLAS_STATUS_SUCCESS, JCublas2.cublasCreate(handle));
        long a = fake.allocate(4);
        fake.memory(a, 4).setAtIndex(JAVA_SHORT, 0, Float.floatToFloat16(1.5f));
        fake.memory(a, 4).setAtIndex(JAVA_SHORT, 1, Float.floatToFloat16(-2));
        long c = floats(1);
        assertEquals(cublasStatus.CUBLAS_STATUS_SUCCESS, product(handle, a, c));
        assertEquals(7.25f, fake.memory(c, 4).get(JAVA_FLOAT, 0));

        standIn.fail("cublasGemmEx", 1, cublasStatus.CUBLAS_STATUS_EXECUTION_FAILED);
        assertEquals(cublasStatus.CUBLAS_STATUS_EXECUTION_FAILED, product(handle, a, c));
        // Without "_new" JCuda takes this compute type for one of old, and does nothing.
        assertEquals(cublasStatus.CUBLAS_STATUS_NOT_SUPPORTED,
                JCublas2.cublasGemmEx(handle, cublasOperation.CUBLAS_OP_T, cublasOperation.CUBLAS_OP_N, 1, 1, 2,
                        scalar(1), device(a), cudaDataType.CUDA_R_16F, 2, device(a), cudaDataType.CUDA_R_16F, 2,
                        scalar(1), device(c), cudaDataType.CUDA_R_32F, 1, cublasComputeType.CUBLAS_COMPUTE_32F,
                        cublasGemmAlgo.CUBLAS_GEMM_DEFAULT));
        assertEquals(7.25f, fake.memory(c, 4).get(JAVA_FLOAT, 0));
    }

    private static int product(cublasHandle handle, long a, long c) {
        return JCublas2.cublasGemmEx_new(handle, cublasOperation.CUBLAS_OP_T, cublasOperation.CUBLAS_OP_N, 1, 1, 2,
                scalar(1), device(a), cudaDataType.CUDA_R_16F, 2, device(a), cudaDataType.CUDA_R_16F, 2, scalar(1),
                device(c), cudaDataType.CUDA_R_32F, 1, cublasComputeType.CUBLAS_COMPUTE_32F,
                cublasGemmAlgo.CUBLAS_GEMM_DEFAULT);
    }

    @Test
    void reachesTheDriver() {
        assertNull(JCudaNatives.load("JCudaDriver", () -> JCudaDriver.setExceptionsEnabled(false)));
        assertEquals(CUresult.CUDA_SUCCESS, JCudaDriver.cuInit(0));
        CUdevice device = new CUdevice();
        assertEquals(CUresult.CUDA_SUCCESS, JCudaDriver.cuDeviceGet(device, 0));
        byte[] name = new byte[32];
        assertEquals(CUresult.CUDA_SUCCESS, JCudaDriver.cuDeviceGetName(name, name.length, device));
        assertEquals("Fake GPU 0", new String(name, 0, 10));
        CUdeviceptr memory = new CUdeviceptr();
        assertEquals(CUresult.CUDA_SUCCESS, JCudaDriver.cuMemAlloc(memory, 64));
        assertEquals(1, fake.live.size());
        assertEquals(CUresult.CUDA_SUCCESS, JCudaDriver.cuMemFree(memory));
        assertEquals(0, fake.live.size());
        // In the library, and in nobody's list of functions to hand on.
        assertEquals(CUresult.CUDA_ERROR_NOT_SUPPORTED, JCudaDriver.cuCtxCreate(new CUcontext(), 0, device));
    }
}
