package io.mixt5.kernels.cuda;

import io.mixt5.engine.Tensor;

/** What the kernels of elementwise.cuh share: each thread takes the elements of one access of 16 bytes. */
abstract class CudaElementwise extends CudaKernel {
    private static final int THREADS = 256;

    CudaElementwise(CudaGpu gpu, String module) {
        super(gpu, module);
    }

    /** Starts as many threads as it takes for all elements of {@code tensor}. */
    protected static void run(Launch launch, Tensor tensor) {
        run(launch, tensor.count(), vector(tensor.dtype()));
    }

    /** Starts as many threads as it takes for {@code count} elements, {@code each} of them to a thread. */
    protected static void run(Launch launch, long count, int each) {
        launch.run(blocks(count, (long) THREADS * each), THREADS);
    }
}
