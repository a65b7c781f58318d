/**
 * The devices {@code cuda}, {@code cuda:1} and so on, and {@code emulator}: the kernels of {@code src/main/cuda} as
 * PTX, launched through the driver API, on a GPU or on the emulator. {@link io.mixt5.kernels.cuda.CudaBackend} says of
 * each op on which types it runs; no toolkit is needed, only NVIDIA's driver.
 *
 * <p>All work of a device goes through one stream, {@code CudaStream}, which captures what is done inside
 * {@link io.mixt5.engine.Backend#together} as a graph of the driver's: the tokens of a generation, whose kernels are
 * shorter than their launches. System properties: {@code mixt5.cuda} names the driver's library, {@code mixt5.cuda.gemm}
 * chooses products by {@code own} kernels or {@code cublas}, {@code mixt5.cuda.graphs} is {@code on} or {@code off}.
 */
package io.mixt5.kernels.cuda;
