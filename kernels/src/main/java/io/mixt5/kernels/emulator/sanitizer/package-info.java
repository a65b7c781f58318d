/**
 * Finds what a kernel does that its results need not show: {@link io.mixt5.kernels.emulator.sanitizer.Sanitizer}
 * watches the emulator as NVIDIA's compute-sanitizer watches a GPU.
 */
package io.mixt5.kernels.emulator.sanitizer;
