/**
 * CUDA's driver API as far as the CUDA backend uses it. {@link io.mixt5.ffm.cuda.CudaDriver}, with its
 * {@link io.mixt5.ffm.cuda.CudaGraphs}, is the interface, {@link io.mixt5.ffm.cuda.LibCuda} its binding to
 * {@code libcuda}, of a GPU or of the stand-in in {@code src/main/c} that tests run; what a call reports becomes a
 * {@link io.mixt5.ffm.cuda.CudaException} with the call's name.
 */
package io.mixt5.ffm.cuda;
