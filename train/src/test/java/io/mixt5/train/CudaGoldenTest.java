package io.mixt5.train;

/** T5 on an emulated GPU, or on a real one against PyTorch. */
class CudaGoldenTest extends T5Goldens {
    CudaGoldenTest() {
        super(CudaTestDevice.NAME);
    }
}
