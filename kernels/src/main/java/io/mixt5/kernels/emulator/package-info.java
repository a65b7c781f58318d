/**
 * A GPU made of Java: {@link io.mixt5.kernels.emulator.Emulator} executes the PTX that the CUDA backend ships, so that
 * every kernel is tested where there is no GPU. It checks what a GPU does not (every address, every barrier) and can be
 * watched ({@link io.mixt5.kernels.emulator.Monitor}). It does not imitate time, caches, the weak memory model or the
 * order in which ptxas contracts floating-point operations.
 */
package io.mixt5.kernels.emulator;
