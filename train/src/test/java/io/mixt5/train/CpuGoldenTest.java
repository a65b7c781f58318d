package io.mixt5.train;

/** T5 on the CPU against PyTorch. */
class CpuGoldenTest extends T5Goldens {
    CpuGoldenTest() {
        super("cpu");
    }
}
