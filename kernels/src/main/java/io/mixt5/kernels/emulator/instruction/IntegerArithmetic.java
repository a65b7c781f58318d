package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;
import java.util.function.IntBinaryOperator;
import java.util.function.LongBinaryOperator;

/**
 * add, sub, mul, mad, div, rem, min, max, neg, abs and sad of integers. 16-bit results have zeros above. What is left
 * open for a division by zero is all ones, and the dividend for a remainder.
 */
final class IntegerArithmetic {
    private static final int LOW_16 = 0xffff;
    private static final long LOW_32 = 0xffff_ffffL;

    private IntegerArithmetic() {
    }

    /** Of two operands of one type. */
    static Instruction binary(Opcode opcode, Operands operands) {
        String type = opcode.type();
        boolean saturate = opcode.take("sat");
        if (saturate && !type.equals("s32")) {
            throw opcode.error("only s32 saturates");
        }
        Elementwise each = new Elementwise(opcode, operands);
        return switch (type) {
            case "u16", "s16" -> each.int2(narrow(type, int32(opcode, type.equals("u16") ? "u32" : "s32")));
            case "u32", "s32" -> each.int2(saturate ? saturating(opcode) : int32(opcode, type));
            case "u64", "s64" -> each.long2(int64(opcode, type));
            default -> throw opcode.unknownType(type);
        };
    }

    private static IntBinaryOperator narrow(String type, IntBinaryOperator wide) {
        return type.equals("u16")
                ? (a, b) -> wide.applyAsInt(a & LOW_16, b & LOW_16) & LOW_16
                : (a, b) -> wide.applyAsInt((short) a, (short) b) & LOW_16;
    }

    private static IntBinaryOperator saturating(Opcode opcode) {
        return opcode.name().equals("add") ? (a, b) -> clamp((long) a + b) : (a, b) -> clamp((long) a - b);
    }

    private static int clamp(long value) {
        return Math.clamp(value, Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    private static IntBinaryOperator int32(Opcode opcode, String type) {
        boolean signed = type.equals("s32");
        return switch (opcode.name()) {
            case "add" -> (a, b) -> a + b;
            case "sub" -> (a, b) -> a - b;
            case "min" -> signed ? Math::min : (a, b) -> Integer.compareUnsigned(a, b) < 0 ? a : b;
            case "max" -> signed ? Math::max : (a, b) -> Integer.compareUnsigned(a, b) > 0 ? a : b;
            case "div" -> signed
                    ? (a, b) -> b == 0 ? -1 : a / b
                    : (a, b) -> b == 0 ? -1 : Integer.divideUnsigned(a, b);
            case "rem" -> signed
                    ? (a, b) -> b == 0 ? a : a % b
                    : (a, b) -> b == 0 ? a : Integer.remainderUnsigned(a, b);
            default -> throw opcode.unknownType(type);
        };
    }

    private static LongBinaryOperator int64(Opcode opcode, String type) {
        boolean signed = type.equals("s64");
        return switch (opcode.name()) {
            case "add" -> (a, b) -> a + b;
            case "sub" -> (a, b) -> a - b;
            case "min" -> signed ? Math::min : (a, b) -> Long.compareUnsigned(a, b) < 0 ? a : b;
            case "max" -> signed ? Math::max : (a, b) -> Long.compareUnsigned(a, b) > 0 ? a : b;
            case "div" -> signed
                    ? (a, b) -> b == 0 ? -1 : a / b
                    : (a, b) -> b == 0 ? -1 : Long.divideUnsigned(a, b);
            case "rem" -> signed
                    ? (a, b) -> b == 0 ? a : a % b
                    : (a, b) -> b == 0 ? a : Long.remainderUnsigned(a, b);
            default -> throw opcode.unknownType(type);
        };
    }

    /** neg and abs. */
    static Instruction unary(Opcode opcode, Operands operands) {
        String type = opcode.type();
        boolean negates = opcode.name().equals("neg");
        Elementwise each = new Elementwise(opcode, operands);
        return switch (type) {
            case "s16" -> each.int1(negates ? a -> -a & LOW_16 : a -> Math.abs((short) a) & LOW_16);
            case "s32" -> each.int1(negates ? a -> -a : Math::abs);
            case "s64" -> each.long1(negates ? a -> -a : Math::abs);
            default -> throw opcode.unknownType(type);
        };
    }

    /** mul.lo, mul.hi and mul.wide. */
    static Instruction multiply(Opcode opcode, Operands operands) {
        String part = part(opcode);
        String type = opcode.type();
        Elementwise each = new Elementwise(opcode, operands);
        return switch (part + type) {
            case "lou16", "los16" -> each.int2((a, b) -> a * b & LOW_16);
            case "lou32", "los32" -> each.int2((a, b) -> a * b);
            case "lou64", "los64" -> each.long2((a, b) -> a * b);
            case "hiu16" -> each.int2((a, b) -> (a & LOW_16) * (b & LOW_16) >>> 16);
            case "his16" -> each.int2((a, b) -> (short) a * (short) b >>> 16);
            case "hiu32" -> each.int2(IntegerArithmetic::highUnsigned);
            case "his32" -> each.int2((a, b) -> (int) ((long) a * b >> 32));
            case "hiu64" -> each.long2(Math::unsignedMultiplyHigh);
            case "his64" -> each.long2(Math::multiplyHigh);
            case "wideu16" -> each.int2((a, b) -> (a & LOW_16) * (b & LOW_16));
            case "wides16" -> each.int2((a, b) -> (short) a * (short) b);
            case "wideu32" -> each.widening2((a, b) -> (a & LOW_32) * (b & LOW_32));
            case "wides32" -> each.widening2((a, b) -> (long) a * b);
            default -> throw opcode.unknownType(type);
        };
    }

    /** mad.lo, mad.hi and mad.wide. */
    static Instruction multiplyAdd(Opcode opcode, Operands operands) {
        String part = part(opcode);
        String type = opcode.type();
        Elementwise each = new Elementwise(opcode, operands);
        return switch (part + type) {
            case "lou16", "los16" -> each.int3((a, b, c) -> a * b + c & LOW_16);
            case "lou32", "los32" -> each.int3((a, b, c) -> a * b + c);
            case "lou64", "los64" -> each.long3((a, b, c) -> a * b + c);
            case "hiu32" -> each.int3((a, b, c) -> highUnsigned(a, b) + c);
            case "his32" -> each.int3((a, b, c) -> (int) ((long) a * b >> 32) + c);
            case "hiu64" -> each.long3((a, b, c) -> Math.unsignedMultiplyHigh(a, b) + c);
            case "his64" -> each.long3((a, b, c) -> Math.multiplyHigh(a, b) + c);
            case "wideu16" -> each.int3((a, b, c) -> (a & LOW_16) * (b & LOW_16) + c);
            case "wides16" -> each.int3((a, b, c) -> (short) a * (short) b + c);
            case "wideu32" -> each.widening3((a, b, c) -> (a & LOW_32) * (b & LOW_32) + c);
            case "wides32" -> each.widening3((a, b, c) -> (long) a * b + c);
            default -> throw opcode.unknownType(type);
        };
    }

    /** mul24.lo and mul24.hi: products of the lower 24 bits. */
    static Instruction multiply24(Opcode opcode, Operands operands) {
        String part = part(opcode);
        String type = opcode.type();
        Elementwise each = new Elementwise(opcode, operands);
        return switch (part + type) {
            case "lou32" -> each.int2((a, b) -> (int) product24(a, b));
            case "los32" -> each.int2((a, b) -> (int) signedProduct24(a, b));
            case "hiu32" -> each.int2((a, b) -> (int) (product24(a, b) >>> 16));
            case "his32" -> each.int2((a, b) -> (int) (signedProduct24(a, b) >> 16));
            default -> throw opcode.unknownType(type);
        };
    }

    private static long product24(int a, int b) {
        return (a & 0xff_ffffL) * (b & 0xff_ffffL);
    }

    private static long signedProduct24(int a, int b) {
        return (long) (a << 8 >> 8) * (b << 8 >> 8);
    }

    private static int highUnsigned(int a, int b) {
        return (int) ((a & LOW_32) * (b & LOW_32) >>> 32);
    }

    private static String part(Opcode opcode) {
        String part = opcode.takeOne("lo", "hi", "wide");
        if (part == null) {
            throw opcode.error(".lo, .hi or .wide is missing");
        }
        return part;
    }

    /** sad: c + |a - b|. */
    static Instruction difference(Opcode opcode, Operands operands) {
        String type = opcode.type();
        Elementwise each = new Elementwise(opcode, operands);
        return switch (type) {
            case "s32" -> each.int3((a, b, c) -> c + Math.max(a, b) - Math.min(a, b));
            case "u32" -> each.int3((a, b, c) -> c + (Integer.compareUnsigned(a, b) < 0 ? b - a : a - b));
            default -> throw opcode.unknownType(type);
        };
    }

    /** dp4a: the sum of four products of bytes, and c. */
    static Instruction dotProduct(Opcode opcode, Operands operands) {
        boolean signedA = opcode.type().equals("s32");
        boolean signedB = opcode.type().equals("s32");
        return new Elementwise(opcode, operands).int3((a, b, c) -> {
            int sum = c;
            for (int shift = 0; shift < 32; shift += 8) {
                int x = a >>> shift & 0xff;
                int y = b >>> shift & 0xff;
                sum += (signedA ? (byte) x : x) * (signedB ? (byte) y : y);
            }
            return sum;
        });
    }
}
