package io.mixt5.ffm.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The C functions of cuBLAS, each with its name and parameters (handles and addresses as longs); all return a
 * cublasStatus, or throw. The products are done on the CPU by {@link DeviceProduct}, at once or in the graph that the
 * handle's stream is being captured into.
 */
@SuppressWarnings("restricted")
final class CublasUpcalls {
    private static final int SUCCESS = 0;
    private static final int NOT_INITIALIZED = 1;
    private static final int INVALID_VALUE = 7;
    private static final int EXECUTION_FAILED = 13;
    private static final int NOT_SUPPORTED = 15;

    /** The version that CUDA 12.6 came with: 10000 * major + 100 * minor + patch. */
    private static final int VERSION = 120600;
    private static final int REAL_32F = 0;
    private static final int COMPUTE_32F = 68;
    private static final int COMPUTE_32F_PEDANTIC = 69;
    private static final int COMPUTE_32F_FAST_16F = 74;
    private static final int COMPUTE_32F_FAST_16BF = 75;
    private static final int COMPUTE_32F_FAST_TF32 = 77;

    private final CudaDriver driver;
    private final CapturedGraphs graphs;
    private final AtomicLong lastHandle = new AtomicLong(0x1000);
    /** The stream of each handle. */
    private final Map<Long, Long> streams = new ConcurrentHashMap<>();

    CublasUpcalls(CudaDriver driver, CapturedGraphs graphs) {
        this.driver = driver;
        this.graphs = graphs;
    }

    /** The cublasStatus for what a call threw. */
    static int status(Throwable thrown) {
        return thrown instanceof IllegalArgumentException ? INVALID_VALUE : EXECUTION_FAILED;
    }

    public int cublasCreate_v2(long handle) {
        long created = lastHandle.incrementAndGet();
        streams.put(created, 0L);
        memory(handle, Long.BYTES).set(JAVA_LONG, 0, created);
        return SUCCESS;
    }

    public int cublasDestroy_v2(long handle) {
        return streams.remove(handle) == null ? NOT_INITIALIZED : SUCCESS;
    }

    public int cublasGetVersion_v2(long handle, long version) {
        memory(version, Integer.BYTES).set(JAVA_INT, 0, VERSION);
        return SUCCESS;
    }

    public int cublasSetStream_v2(long handle, long stream) {
        return streams.replace(handle, stream) == null ? NOT_INITIALIZED : SUCCESS;
    }

    /** Which units do the product makes no difference here. */
    public int cublasSetMathMode(long handle, int mode) {
        return known(handle);
    }

    /** Only factors in host memory. */
    public int cublasSetPointerMode_v2(long handle, int mode) {
        return mode == 0 ? known(handle) : NOT_SUPPORTED;
    }

    /** Products are done in one order, with or without atomics. */
    public int cublasSetAtomicsMode(long handle, int mode) {
        return known(handle);
    }

    /** Products need no workspace. */
    public int cublasSetWorkspace_v2(long handle, long workspace, long bytes) {
        return known(handle);
    }

    public int cublasSgemm_v2(long handle, int transA, int transB, int m, int n, int k, long alpha, long a, int lda,
            long b, int ldb, long beta, long c, int ldc) {
        return cublasGemmStridedBatchedEx(handle, transA, transB, m, n, k, alpha, a, REAL_32F, lda, 0, b, REAL_32F, ldb,
                0, beta, c, REAL_32F, ldc, 0, 1, COMPUTE_32F, 0);
    }

    public int cublasGemmEx(long handle, int transA, int transB, int m, int n, int k, long alpha, long a, int typeA,
            int lda, long b, int typeB, int ldb, long beta, long c, int typeC, int ldc, int compute, int algorithm) {
        return cublasGemmStridedBatchedEx(handle, transA, transB, m, n, k, alpha, a, typeA, lda, 0, b, typeB, ldb, 0,
                beta, c, typeC, ldc, 0, 1, compute, algorithm);
    }

    public int cublasGemmStridedBatchedEx(long handle, int transA, int transB, int m, int n, int k, long alpha, long a,
            int typeA, int lda, long strideA, long b, int typeB, int ldb, long strideB, long beta, long c, int typeC,
            int ldc, long strideC, int batch, int compute, int algorithm) {
        Long stream = streams.get(handle);
        if (stream == null) {
            return NOT_INITIALIZED;
        }
        boolean inFloats = switch (compute) {
            case COMPUTE_32F, COMPUTE_32F_PEDANTIC, COMPUTE_32F_FAST_16F, COMPUTE_32F_FAST_16BF,
                    COMPUTE_32F_FAST_TF32 ->
                true;
            default -> false;
        };
        if (!inFloats || typeA != typeB || transA > 1 || transB > 1) {
            return NOT_SUPPORTED;
        }
        DeviceProduct product = new DeviceProduct(driver, stream, transA != 0, transB != 0, m, n, k,
                memory(alpha, Float.BYTES).get(JAVA_FLOAT, 0), memory(beta, Float.BYTES).get(JAVA_FLOAT, 0));
        ElementType factors = ElementType.of(typeA);
        ElementType result = ElementType.of(typeC);
        graphs.run(stream, "kernel", () -> {
            for (long i = 0; i < batch; i++) {
                product.run(a + i * strideA * factors.bytes(), lda, b + i * strideB * factors.bytes(), ldb, factors,
                        c + i * strideC * result.bytes(), ldc, result);
            }
        });
        return SUCCESS;
    }

    private int known(long handle) {
        return streams.containsKey(handle) ? SUCCESS : NOT_INITIALIZED;
    }

    private static MemorySegment memory(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }
}
