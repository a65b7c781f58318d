package io.mixt5.kernels.cuda;

import io.mixt5.engine.DType;
import io.mixt5.ffm.cuda.LibCuda;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import jcuda.NativePointerObject;
import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;

/**
 * Products by NVIDIA's cuBLAS 12, through JCuda. Nothing is reduced in the halves' precision, nor in TF32.
 *
 * <p>cuBLAS has matrices column by column, which makes C^T = op(B)^T op(A)^T of our product without a copy.
 */
final class CuBlasGemm implements Gemm {
    private static final String LIBRARY = "JCublas2";
    /** What NVIDIA recommends from the H100 on; 4 MiB before. */
    private static final long WORKSPACE_BYTES = 32L << 20;

    private final CudaGpu gpu;
    private final cublasHandle handle = new cublasHandle();
    /**
     * The factors 0 and 1, outside of the heap: for arrays in it JCuda would keep garbage collection from starting until
     * the call is done.
     */
    private final MemorySegment factors = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_FLOAT, 0, 1);
    private final Pointer zero = new RawPointer(factors.address());
    private final Pointer one = new RawPointer(factors.address() + Float.BYTES);

    /** Memory outside of the heap, of the device mostly, for JCuda. */
    private static final class RawPointer extends Pointer {
        RawPointer(long address) {
            super(address);
        }
    }

    /**
     * On {@code gpu}.
     *
     * @throws IllegalStateException when cuBLAS refuses
     */
    CuBlasGemm(CudaGpu gpu) {
        this.gpu = gpu;
        gpu.driver();
        require("cublasCreate", JCublas2.cublasCreate(handle));
        require("cublasSetStream", JCublas2.cublasSetStream(handle, stream(gpu.stream().handle())));
        require("cublasSetMathMode", JCublas2.cublasSetMathMode(handle,
                cublasMath.CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION));
        // Its own would be allocated within the graphs that it is captured into, which could not be updated then.
        long workspace = gpu.driver().allocate(WORKSPACE_BYTES);
        require("cublasSetWorkspace",
                JCublas2.cublasSetWorkspace(handle, new RawPointer(workspace), WORKSPACE_BYTES));
    }

    /** Why products on {@code gpu} cannot be done by cuBLAS, as a part of a sentence; null when they can. */
    static String unavailable(CudaGpu gpu) {
        return gpu.driver() instanceof LibCuda
                ? JCudaNatives.load(LIBRARY, JCublas2::initialize)
                : "its memory is not CUDA's";
    }

    /** JCuda's object for a stream that JCuda has not made. */
    private static cudaStream_t stream(long address) {
        try {
            VarHandle pointer = MethodHandles.privateLookupIn(NativePointerObject.class, MethodHandles.lookup())
                    .findVarHandle(NativePointerObject.class, "nativePointer", long.class);
            cudaStream_t stream = new cudaStream_t();
            pointer.set((NativePointerObject) stream, address);
            return stream;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("JCuda's NativePointerObject has no field nativePointer any more", e);
        }
    }

    @Override
    public synchronized void multiply(DType dtype, boolean transA, boolean transB, long m, long n, long k, long a,
            long lda, long b, long ldb, boolean accumulate, long c, long ldc) {
        if (m == 0 || n == 0) {
            return;
        }
        int rows = Math.toIntExact(n);
        int columns = Math.toIntExact(m);
        int depth = Math.toIntExact(k);
        int left = operation(transB);
        int right = operation(transA);
        Pointer beta = accumulate ? one : zero;
        // In the stream's turn the context is current, which cuBLAS goes by.
        gpu.stream().run(() -> {
            if (dtype == DType.F32) {
                require("cublasSgemm", JCublas2.cublasSgemm(handle, left, right, rows, columns, depth, one,
                        new RawPointer(b), distance(ldb), new RawPointer(a), distance(lda), beta,
                        new RawPointer(c), distance(ldc)));
            } else {
                int type = dtype == DType.F16 ? cudaDataType.CUDA_R_16F : cudaDataType.CUDA_R_16BF;
                require("cublasGemmEx", JCublas2.cublasGemmEx_new(handle, left, right, rows, columns, depth, one,
                        new RawPointer(b), type, distance(ldb), new RawPointer(a), type, distance(lda), beta,
                        new RawPointer(c), type, distance(ldc), cublasComputeType.CUBLAS_COMPUTE_32F,
                        cublasGemmAlgo.CUBLAS_GEMM_DEFAULT));
            }
        });
    }

    private static int operation(boolean transposed) {
        return transposed ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
    }

    /** cuBLAS wants a distance even between rows without elements. */
    private static int distance(long ld) {
        return Math.max(1, Math.toIntExact(ld));
    }

    private void require(String call, int status) {
        if (status != cublasStatus.CUBLAS_STATUS_SUCCESS) {
            throw new IllegalStateException(call + " failed with " + cublasStatus.stringFor(status) + " on "
                    + gpu.description() + "; system property mixt5.cuda.gemm=own does without cuBLAS.");
        }
    }

    @Override
    public String description() {
        return "cuBLAS through JCuda";
    }
}
