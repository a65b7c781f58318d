/**
 * The arithmetic of a GPU on raw bits, as the PTX ISA defines it: pure functions, bit-exact wherever the ISA is. An f16
 * or bf16 is the lower half of an {@code int} whose upper half is ignored in operands and 0 in results, an f32 is an
 * {@code int}, an f64 a {@code long}.
 */
package io.mixt5.kernels.emulator.math;
