/**
 * What PTX's opcodes do. {@link io.mixt5.kernels.emulator.instruction.Assembler} turns parsed functions into programs;
 * each other file decodes a family of opcodes. What is done lane by lane is written as a function of one lane's bits;
 * {@link io.mixt5.kernels.emulator.instruction.Elementwise} applies it to all of them.
 */
package io.mixt5.kernels.emulator.instruction;
