/** The CUDA backend: kernels of {@code src/main/cuda} as PTX, launched through the driver API, on a GPU or emulated. */
package io.mixt5.kernels.cuda;
