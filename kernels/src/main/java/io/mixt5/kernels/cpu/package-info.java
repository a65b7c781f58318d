/**
 * The device {@code cpu}: kernels written with the Vector API, at whatever width the processor has, and matrix
 * products by OpenBLAS or by kernels of our own where those are faster. One pool of workers runs all of them; sums are
 * taken in an order that does not depend on how many there are, so that results repeat to the bit on one machine.
 * Computes in F32. The JVM needs {@code --add-modules jdk.incubator.vector}.
 */
package io.mixt5.kernels.cpu;
