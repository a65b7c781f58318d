/** The CPU backend: kernels written with the Vector API, and matrix products by OpenBLAS. */
package io.mixt5.kernels.cpu;
