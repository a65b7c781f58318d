/**
 * PTX as text and as what it says: a parser to modules, functions, statements and operands, with the line of each for
 * messages. Nothing here knows what an opcode does; {@code io.mixt5.kernels.emulator.instruction} does.
 */
package io.mixt5.kernels.emulator.ptx;
