package io.mixt5.train;

/** Mixtures on an emulated GPU, or on a real one against PyTorch. */
class CudaMixtureGoldenTest extends MixtureGoldens {
    CudaMixtureGoldenTest() {
        super(CudaTestDevice.NAME);
    }
}
