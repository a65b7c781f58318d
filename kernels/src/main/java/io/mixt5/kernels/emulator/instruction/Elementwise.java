package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;
import java.util.function.IntBinaryOperator;
import java.util.function.IntToLongFunction;
import java.util.function.IntUnaryOperator;
import java.util.function.LongBinaryOperator;
import java.util.function.LongToIntFunction;
import java.util.function.LongUnaryOperator;

/** Instructions that apply a function to each lane: operand 0 is the target, the others are read in their order. */
final class Elementwise {
    private final Opcode opcode;
    private final Operands operands;

    /** For an opcode with its operands. */
    Elementwise(Opcode opcode, Operands operands) {
        this.opcode = opcode;
        this.operands = operands;
    }

    Instruction int1(IntUnaryOperator function) {
        operands.requireCount(2);
        return Copies.of(IntLoops.Int1.class, opcode.text(), function, operands.intTarget(0), operands.ints(1));
    }

    Instruction int2(IntBinaryOperator function) {
        operands.requireCount(3);
        return Copies.of(IntLoops.Int2.class, opcode.text(), function, operands.intTarget(0), operands.ints(1),
                operands.ints(2));
    }

    Instruction int3(Functions.IntTernary function) {
        return Copies.of(IntLoops.Int3.class, opcode.text(), function, operands.intTarget(0), operands.ints(1),
                operands.ints(2), operands.ints(3));
    }

    Instruction int4(Functions.IntQuaternary function) {
        return Copies.of(IntLoops.Int4.class, opcode.text(), function, operands.intTarget(0), operands.ints(1),
                operands.ints(2), operands.ints(3), operands.ints(4));
    }

    Instruction long1(LongUnaryOperator function) {
        operands.requireCount(2);
        return Copies.of(LongLoops.Long1.class, opcode.text(), function, operands.longTarget(0), operands.longs(1));
    }

    Instruction long2(LongBinaryOperator function) {
        operands.requireCount(3);
        return Copies.of(LongLoops.Long2.class, opcode.text(), function, operands.longTarget(0), operands.longs(1),
                operands.longs(2));
    }

    Instruction long3(Functions.LongTernary function) {
        return Copies.of(LongLoops.Long3.class, opcode.text(), function, operands.longTarget(0), operands.longs(1),
                operands.longs(2), operands.longs(3));
    }

    Instruction widening(IntToLongFunction function) {
        operands.requireCount(2);
        return Copies.of(LongLoops.Widening.class, opcode.text(), function, operands.longTarget(0), operands.ints(1));
    }

    Instruction widening2(Functions.IntsToLong function) {
        operands.requireCount(3);
        return Copies.of(LongLoops.Widening2.class, opcode.text(), function, operands.longTarget(0), operands.ints(1),
                operands.ints(2));
    }

    Instruction widening3(Functions.IntsAndLong function) {
        operands.requireCount(4);
        return Copies.of(LongLoops.Widening3.class, opcode.text(), function, operands.longTarget(0), operands.ints(1),
                operands.ints(2), operands.longs(3));
    }

    Instruction shift(Functions.LongAndInt function) {
        operands.requireCount(3);
        return Copies.of(LongLoops.Shift.class, opcode.text(), function, operands.longTarget(0), operands.longs(1),
                operands.ints(2));
    }

    Instruction narrowing(LongToIntFunction function) {
        operands.requireCount(2);
        return Copies.of(IntLoops.Narrowing.class, opcode.text(), function, operands.intTarget(0), operands.longs(1));
    }
}
