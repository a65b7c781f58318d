package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;

/** Sends arithmetic to the family of its type. */
final class Arithmetic {
    private Arithmetic() {
    }

    static Instruction unary(Opcode opcode, Operands operands) {
        return switch (floatType(opcode)) {
            case "f32" -> FloatArithmetic.unary(opcode, operands);
            case "f64" -> DoubleArithmetic.unary(opcode, operands);
            case "" -> IntegerArithmetic.unary(opcode, operands);
            case String half -> HalfArithmetic.unary(opcode, operands, half);
        };
    }

    static Instruction binary(Opcode opcode, Operands operands) {
        return switch (floatType(opcode)) {
            case "f32" -> FloatArithmetic.binary(opcode, operands);
            case "f64" -> DoubleArithmetic.binary(opcode, operands);
            case "" -> integerBinary(opcode, operands);
            case String half -> HalfArithmetic.binary(opcode, operands, half);
        };
    }

    private static Instruction integerBinary(Opcode opcode, Operands operands) {
        if (opcode.has("cc")) {
            return Carries.decode(opcode, operands);
        }
        return opcode.name().equals("mul")
                ? IntegerArithmetic.multiply(opcode, operands)
                : IntegerArithmetic.binary(opcode, operands);
    }

    /** fma and mad. */
    static Instruction multiplyAdd(Opcode opcode, Operands operands) {
        return switch (floatType(opcode)) {
            case "f32" -> FloatArithmetic.fma(opcode, operands);
            case "f64" -> DoubleArithmetic.fma(opcode, operands);
            case "" -> opcode.has("cc")
                    ? Carries.decode(opcode, operands)
                    : IntegerArithmetic.multiplyAdd(opcode, operands);
            case String half -> HalfArithmetic.fma(opcode, operands, half);
        };
    }

    /** Takes the type if it is one of floating point; otherwise empty. */
    private static String floatType(Opcode opcode) {
        String type = opcode.takeOne("f32", "f64", "f16", "f16x2", "bf16", "bf16x2");
        return type == null ? "" : type;
    }
}
