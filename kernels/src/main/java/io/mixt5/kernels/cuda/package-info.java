/**
 * The devices {@code cuda}, {@code cuda:1} and so on, and {@code emulator}: the kernels of {@code src/main/cuda} as
 * PTX, launched through the driver API, on a GPU or on the emulator. {@link io.mixt5.kernels.cuda.CudaBackend} says of
 * each op on which types it runs; no toolkit is needed, only NVIDIA's driver.
 */
package io.mixt5.kernels.cuda;
