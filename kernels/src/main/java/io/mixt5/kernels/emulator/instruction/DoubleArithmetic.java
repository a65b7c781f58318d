package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.math.Doubles;
import io.mixt5.kernels.emulator.math.Rounding;

/** Arithmetic of f64, on raw bits. */
final class DoubleArithmetic {
    private static final long SIGN = Long.MIN_VALUE;

    private DoubleArithmetic() {
    }

    /** neg, abs, rcp, sqrt, rsqrt. */
    static Instruction unary(Opcode opcode, Operands operands) {
        opcode.ignore("approx", "ftz");
        requireNearest(opcode, opcode.rounding(Rounding.NEAREST));
        Elementwise each = new Elementwise(opcode, operands);
        return switch (opcode.name()) {
            case "neg" -> each.long1(a -> a ^ SIGN);
            case "abs" -> each.long1(a -> a & ~SIGN);
            case "rcp" -> each.long1(Doubles::rcp);
            case "sqrt" -> each.long1(Doubles::sqrt);
            case "rsqrt" -> each.long1(Doubles::rsqrt);
            default -> throw opcode.unknownType("f64");
        };
    }

    /** add, sub, mul, div, min, max, copysign. */
    static Instruction binary(Opcode opcode, Operands operands) {
        Rounding rounding = opcode.rounding(Rounding.NEAREST);
        Elementwise each = new Elementwise(opcode, operands);
        return switch (opcode.name()) {
            case "add" -> each.long2((a, b) -> Doubles.add(a, b, rounding));
            case "sub" -> each.long2((a, b) -> Doubles.sub(a, b, rounding));
            case "mul" -> each.long2((a, b) -> Doubles.mul(a, b, rounding));
            case "div" -> {
                requireNearest(opcode, rounding);
                yield each.long2(Doubles::div);
            }
            case "min" -> each.long2(Doubles::min);
            case "max" -> each.long2(Doubles::max);
            case "copysign" -> each.long2((a, b) -> a & SIGN | b & ~SIGN);
            default -> throw opcode.unknownType("f64");
        };
    }

    /** fma, and mad, which is the same for f64. */
    static Instruction fma(Opcode opcode, Operands operands) {
        Rounding rounding = opcode.rounding(Rounding.NEAREST);
        return new Elementwise(opcode, operands).long3((a, b, c) -> Doubles.fma(a, b, c, rounding));
    }

    private static void requireNearest(Opcode opcode, Rounding rounding) {
        if (rounding != Rounding.NEAREST) {
            throw opcode.error("the emulator only rounds it to nearest");
        }
    }
}
