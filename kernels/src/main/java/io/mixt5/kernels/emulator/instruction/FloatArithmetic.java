package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.math.Approximations;
import io.mixt5.kernels.emulator.math.Floats;
import io.mixt5.kernels.emulator.math.Rounding;
import java.util.function.IntBinaryOperator;
import java.util.function.IntUnaryOperator;

/** Arithmetic of f32, on raw bits. */
final class FloatArithmetic {
    private FloatArithmetic() {
    }

    /** neg, abs, rcp, sqrt, rsqrt, ex2, lg2, sin, cos, tanh. */
    static Instruction unary(Opcode opcode, Operands operands) {
        boolean flush = opcode.take("ftz");
        boolean approximate = opcode.take("approx");
        Rounding rounding = opcode.rounding(Rounding.NEAREST);
        boolean nearest = rounding == Rounding.NEAREST;
        IntUnaryOperator function = switch (opcode.name()) {
            case "neg" -> Floats::neg;
            case "abs" -> Floats::abs;
            case "rcp" -> approximate ? Approximations::rcp : nearest ? Floats::rcp : a -> Floats.rcp(a, rounding);
            case "sqrt" -> approximate ? Approximations::sqrt : nearest ? Floats::sqrt : a -> Floats.sqrt(a, rounding);
            case "rsqrt" -> Approximations::rsqrt;
            case "ex2" -> Approximations::ex2;
            case "lg2" -> Approximations::lg2;
            case "sin" -> Approximations::sin;
            case "cos" -> Approximations::cos;
            case "tanh" -> Approximations::tanh;
            default -> throw opcode.unknownType("f32");
        };
        return new Elementwise(opcode, operands).int1(flush
                ? a -> Floats.flush(function.applyAsInt(Floats.flush(a)))
                : function);
    }

    /** add, sub, mul, div, min, max, copysign. */
    static Instruction binary(Opcode opcode, Operands operands) {
        boolean flush = opcode.take("ftz");
        boolean saturate = opcode.take("sat");
        boolean approximate = opcode.takeOne("approx", "full") != null;
        boolean nan = opcode.take("NaN");
        Rounding rounding = opcode.rounding(Rounding.NEAREST);
        boolean nearest = rounding == Rounding.NEAREST;
        IntBinaryOperator function = switch (opcode.name()) {
            case "add" -> nearest ? Floats::add : (a, b) -> Floats.add(a, b, rounding);
            case "sub" -> nearest ? Floats::sub : (a, b) -> Floats.sub(a, b, rounding);
            case "mul" -> nearest ? Floats::mul : (a, b) -> Floats.mul(a, b, rounding);
            case "div" -> approximate
                    ? Approximations::div
                    : nearest ? Floats::div : (a, b) -> Floats.div(a, b, rounding);
            case "min" -> nan ? Floats::minNan : Floats::min;
            case "max" -> nan ? Floats::maxNan : Floats::max;
            case "copysign" -> Floats::copysign;
            default -> throw opcode.unknownType("f32");
        };
        IntBinaryOperator flushed = !flush
                ? function
                : (a, b) -> Floats.flush(function.applyAsInt(Floats.flush(a), Floats.flush(b)));
        return new Elementwise(opcode, operands).int2(!saturate
                ? flushed
                : (a, b) -> Floats.saturate(flushed.applyAsInt(a, b)));
    }

    /** fma, and mad, which is the same for f32. */
    static Instruction fma(Opcode opcode, Operands operands) {
        boolean flush = opcode.take("ftz");
        boolean saturate = opcode.take("sat");
        Rounding rounding = opcode.rounding(Rounding.NEAREST);
        Functions.IntTernary function = rounding == Rounding.NEAREST
                ? Floats::fma
                : (a, b, c) -> Floats.fma(a, b, c, rounding);
        Functions.IntTernary flushed = !flush
                ? function
                : (a, b, c) -> Floats
                        .flush(function.apply(Floats.flush(a), Floats.flush(b), Floats.flush(c)));
        return new Elementwise(opcode, operands).int3(!saturate
                ? flushed
                : (a, b, c) -> Floats.saturate(flushed.apply(a, b, c)));
    }
}
