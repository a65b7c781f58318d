package io.mixt5.train;

/** Mixtures on the CPU against PyTorch. */
class CpuMixtureGoldenTest extends MixtureGoldens {
    CpuMixtureGoldenTest() {
        super("cpu");
    }
}
