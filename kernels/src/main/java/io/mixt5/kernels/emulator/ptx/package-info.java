/** PTX as text and as what it says: modules, functions, statements, operands. Nothing here knows what an opcode does. */
package io.mixt5.kernels.emulator.ptx;
