package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.math.Approximations;
import io.mixt5.kernels.emulator.math.Bfloats;
import io.mixt5.kernels.emulator.math.Halves;
import io.mixt5.kernels.emulator.math.Rounding;
import java.util.function.IntBinaryOperator;
import java.util.function.IntUnaryOperator;

/** Arithmetic of f16 and bf16, alone and in pairs. */
final class HalfArithmetic {
    private HalfArithmetic() {
    }

    /** neg, abs, ex2, tanh. */
    static Instruction unary(Opcode opcode, Operands operands, String type) {
        boolean flush = opcode.take("ftz");
        opcode.ignore("approx");
        IntUnaryOperator function = switch (opcode.name() + type) {
            case "negf16" -> Halves::neg;
            case "negf16x2" -> Halves::neg2;
            case "negbf16" -> Bfloats::neg;
            case "negbf16x2" -> Bfloats::neg2;
            case "absf16" -> Halves::abs;
            case "absf16x2" -> Halves::abs2;
            case "absbf16" -> Bfloats::abs;
            case "absbf16x2" -> Bfloats::abs2;
            case "ex2f16" -> Approximations::ex2Half;
            case "ex2f16x2" -> Approximations::ex2Half2;
            case "ex2bf16" -> Approximations::ex2Bfloat;
            case "ex2bf16x2" -> Approximations::ex2Bfloat2;
            case "tanhf16" -> Approximations::tanhHalf;
            case "tanhf16x2" -> Approximations::tanhHalf2;
            case "tanhbf16" -> Approximations::tanhBfloat;
            case "tanhbf16x2" -> Approximations::tanhBfloat2;
            default -> throw opcode.unknownType(type);
        };
        IntUnaryOperator flushes = flushing(type);
        return new Elementwise(opcode, operands).int1(!flush
                ? function
                : a -> flushes.applyAsInt(function.applyAsInt(flushes.applyAsInt(a))));
    }

    /** add, sub, mul, min, max. */
    static Instruction binary(Opcode opcode, Operands operands, String type) {
        boolean flush = opcode.take("ftz");
        boolean saturate = opcode.take("sat");
        requireNearest(opcode);
        String name = opcode.name() + (opcode.take("NaN") ? ".NaN" : "");
        IntBinaryOperator function = switch (type) {
            case "f16" -> half(opcode, name);
            case "f16x2" -> halves(opcode, name);
            case "bf16" -> bfloat(opcode, name);
            default -> bfloats(opcode, name);
        };
        IntUnaryOperator flushes = flushing(type);
        IntBinaryOperator flushed = !flush
                ? function
                : (a, b) -> flushes
                        .applyAsInt(function.applyAsInt(flushes.applyAsInt(a), flushes.applyAsInt(b)));
        IntUnaryOperator saturates = saturating(type);
        return new Elementwise(opcode, operands).int2(!saturate
                ? flushed
                : (a, b) -> saturates.applyAsInt(flushed.applyAsInt(a, b)));
    }

    private static IntBinaryOperator half(Opcode opcode, String name) {
        return switch (name) {
            case "add" -> Halves::add;
            case "sub" -> Halves::sub;
            case "mul" -> Halves::mul;
            case "min" -> Halves::min;
            case "max" -> Halves::max;
            case "min.NaN" -> Halves::minNan;
            case "max.NaN" -> Halves::maxNan;
            default -> throw opcode.unknownType("f16");
        };
    }

    private static IntBinaryOperator halves(Opcode opcode, String name) {
        return switch (name) {
            case "add" -> Halves::add2;
            case "sub" -> Halves::sub2;
            case "mul" -> Halves::mul2;
            case "min" -> Halves::min2;
            case "max" -> Halves::max2;
            case "min.NaN" -> Halves::minNan2;
            case "max.NaN" -> Halves::maxNan2;
            default -> throw opcode.unknownType("f16x2");
        };
    }

    private static IntBinaryOperator bfloat(Opcode opcode, String name) {
        return switch (name) {
            case "add" -> Bfloats::add;
            case "sub" -> Bfloats::sub;
            case "mul" -> Bfloats::mul;
            case "min" -> Bfloats::min;
            case "max" -> Bfloats::max;
            case "min.NaN" -> Bfloats::minNan;
            case "max.NaN" -> Bfloats::maxNan;
            default -> throw opcode.unknownType("bf16");
        };
    }

    private static IntBinaryOperator bfloats(Opcode opcode, String name) {
        return switch (name) {
            case "add" -> Bfloats::add2;
            case "sub" -> Bfloats::sub2;
            case "mul" -> Bfloats::mul2;
            case "min" -> Bfloats::min2;
            case "max" -> Bfloats::max2;
            case "min.NaN" -> Bfloats::minNan2;
            case "max.NaN" -> Bfloats::maxNan2;
            default -> throw opcode.unknownType("bf16x2");
        };
    }

    /** fma. */
    static Instruction fma(Opcode opcode, Operands operands, String type) {
        boolean flush = opcode.take("ftz");
        boolean saturate = opcode.take("sat");
        boolean relu = opcode.take("relu");
        requireNearest(opcode);
        Functions.IntTernary function = switch (type) {
            case "f16" -> Halves::fma;
            case "f16x2" -> Halves::fma2;
            case "bf16" -> Bfloats::fma;
            default -> Bfloats::fma2;
        };
        IntUnaryOperator flushes = flushing(type);
        Functions.IntTernary flushed = !flush
                ? function
                : (a, b, c) -> flushes.applyAsInt(
                        function.apply(flushes.applyAsInt(a), flushes.applyAsInt(b), flushes.applyAsInt(c)));
        IntUnaryOperator last = saturate ? saturating(type) : relu ? rectifying(type) : null;
        return new Elementwise(opcode, operands).int3(last == null
                ? flushed
                : (a, b, c) -> last.applyAsInt(flushed.apply(a, b, c)));
    }

    private static void requireNearest(Opcode opcode) {
        if (opcode.rounding(Rounding.NEAREST) != Rounding.NEAREST) {
            throw opcode.error("half precision only rounds to nearest");
        }
    }

    private static IntUnaryOperator flushing(String type) {
        return switch (type) {
            case "f16" -> Halves::flush;
            case "f16x2" -> Halves::flush2;
            case "bf16" -> Bfloats::flush;
            default -> Bfloats::flush2;
        };
    }

    private static IntUnaryOperator saturating(String type) {
        return switch (type) {
            case "f16" -> Halves::saturate;
            case "f16x2" -> Halves::saturate2;
            case "bf16" -> Bfloats::saturate;
            default -> Bfloats::saturate2;
        };
    }

    private static IntUnaryOperator rectifying(String type) {
        return switch (type) {
            case "f16" -> Halves::relu;
            case "f16x2" -> Halves::relu2;
            case "bf16" -> Bfloats::relu;
            default -> Bfloats::relu2;
        };
    }
}
