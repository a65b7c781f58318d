package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;

/** Decodes opcodes that share an idea. */
interface Family {
    /** The instruction for an opcode, whose understood modifiers are taken, and its operands. */
    Instruction decode(Opcode opcode, Operands operands);
}
