package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.machine.Instruction;
import io.mixt5.kernels.emulator.machine.Lanes;
import io.mixt5.kernels.emulator.machine.Warp;
import io.mixt5.kernels.emulator.math.Bfloats;
import io.mixt5.kernels.emulator.math.Comparison;
import io.mixt5.kernels.emulator.math.Floats;
import io.mixt5.kernels.emulator.math.Halves;
import io.mixt5.kernels.emulator.ptx.PtxOperand;
import io.mixt5.kernels.emulator.ptx.PtxType;
import java.util.function.IntBinaryOperator;

/** setp and set: comparisons, whose result may be combined with another predicate. */
final class Comparisons {
    private Comparisons() {
    }

    /** setp.OP(.BOOL)(.ftz).type p(|q), a, b(, c). */
    static Instruction setPredicate(Opcode opcode, Operands operands) {
        String relation = opcode.next();
        String combination = opcode.takeOne("and", "or", "xor");
        boolean flush = opcode.take("ftz");
        String type = opcode.type();
        PtxOperand first = operands.at(0);
        PtxOperand second = null;
        if (first instanceof PtxOperand.Pair pair) {
            first = pair.first();
            second = pair.second();
        }
        int[] registers = {operands.predicateTarget(first), second == null ? -1 : operands.predicateTarget(second), -1,
                0, -1, -1};
        if (combination != null) {
            Operands.Predicate with = operands.predicate(3);
            registers[2] = with.register();
            registers[3] = with.negated() ? -1 : 0;
        }
        IntBinaryOperator combine = combination == null ? (a, b) -> a : Predicates.function(opcode, combination);
        if (type.endsWith("x2")) {
            if (second == null) {
                throw opcode.error("a pair has two results");
            }
            return new PairComparison(pairTest(opcode, relation, type), registers, operands.ints(1), operands.ints(2),
                    combine);
        }
        if (PtxType.bytes(type) == 8) {
            registers[4] = operands.longs(1);
            registers[5] = operands.longs(2);
            return Copies.of(LongComparison.class, opcode.text(), new LongQuestion(longTest(opcode, relation, type),
                    combine), registers);
        }
        registers[4] = operands.ints(1);
        registers[5] = operands.ints(2);
        Functions.IntTest test = intTest(opcode, relation, type);
        return Copies.of(IntComparison.class, opcode.text(), new IntQuestion(!flush
                ? test
                : (a, b) -> test.test(Floats.flush(a), Floats.flush(b)), combine), registers);
    }

    /** A question about one 64-bit operand: p, a. */
    static Instruction question(Opcode opcode, Operands operands, Functions.LongTest test) {
        int a = operands.longs(1);
        int[] registers = {operands.predicateTarget(operands.at(0)), -1, -1, 0, a, a};
        return Copies.of(LongComparison.class, opcode.text(), new LongQuestion(test, (holds, with) -> holds),
                registers);
    }

    /** set.OP.dtype.stype: -1 or 1.0 where it holds, else 0. */
    static Instruction set(Opcode opcode, Operands operands) {
        String relation = opcode.next();
        boolean flush = opcode.take("ftz");
        String to = opcode.type();
        String type = opcode.type();
        Elementwise each = new Elementwise(opcode, operands);
        if (type.endsWith("x2")) {
            Functions.IntTest test = pairTest(opcode, relation, type);
            int one = !to.contains("f") ? 0xffff : type.equals("f16x2") ? 0x3c00 : 0x3f80;
            return each.int2((a, b) -> (test.test(a & 0xffff, b & 0xffff) ? one : 0)
                    | (test.test(a >>> 16, b >>> 16) ? one << 16 : 0));
        }
        int one = switch (to) {
            case "f32" -> Float.floatToRawIntBits(1);
            case "f16" -> 0x3c00;
            case "bf16" -> 0x3f80;
            case "u16", "s16" -> 0xffff;
            case "u32", "s32" -> -1;
            default -> throw opcode.unknownType(to);
        };
        if (PtxType.bytes(type) == 8) {
            throw opcode.unknownType(type);
        }
        Functions.IntTest test = intTest(opcode, relation, type);
        return each.int2(flush && type.equals("f32")
                ? (a, b) -> test.test(Floats.flush(a), Floats.flush(b)) ? one : 0
                : (a, b) -> test.test(a, b) ? one : 0);
    }

    /** testp.property.f32 p, a. */
    static Instruction testProperty(Opcode opcode, Operands operands) {
        String property = opcode.next();
        opcode.ignore("f32");
        Functions.IntTest test = switch (property) {
            case "finite" -> (a, b) -> Float.isFinite(Float.intBitsToFloat(a));
            case "infinite" -> (a, b) -> Float.isInfinite(Float.intBitsToFloat(a));
            case "number" -> (a, b) -> !Float.isNaN(Float.intBitsToFloat(a));
            case "notanumber" -> (a, b) -> Float.isNaN(Float.intBitsToFloat(a));
            case "normal" -> (a, b) -> (a >> 23 & 0xff) != 0 && Float.isFinite(Float.intBitsToFloat(a));
            case "subnormal" -> (a, b) -> (a >> 23 & 0xff) == 0 && a << 1 != 0;
            default -> throw opcode.error("." + property + " is no property");
        };
        int a = operands.ints(1);
        int[] registers = {operands.predicateTarget(operands.at(0)), -1, -1, 0, a, a};
        return Copies.of(IntComparison.class, opcode.text(), new IntQuestion(test, (holds, with) -> holds), registers);
    }

    private static Functions.IntTest pairTest(Opcode opcode, String relation, String type) {
        return intTest(opcode, relation, type.substring(0, type.length() - 2));
    }

    private static Functions.IntTest intTest(Opcode opcode, String relation, String type) {
        return switch (type) {
            case "f32" -> floatTest(relation, comparison(opcode, relation));
            case "f16" -> {
                Comparison comparison = comparison(opcode, relation);
                yield (a, b) -> comparison.test(Halves.value(a), Halves.value(b));
            }
            case "bf16" -> {
                Comparison comparison = comparison(opcode, relation);
                yield (a, b) -> comparison.test(Bfloats.value(a), Bfloats.value(b));
            }
            case "s16" -> {
                Functions.IntTest wide = integerTest(opcode, relation, true);
                yield (a, b) -> wide.test((short) a, (short) b);
            }
            case "u16", "b16" -> {
                Functions.IntTest wide = integerTest(opcode, relation, false);
                yield (a, b) -> wide.test(a & 0xffff, b & 0xffff);
            }
            case "s32", "u32", "b32" -> integerTest(opcode, relation, type.equals("s32"));
            default -> throw opcode.unknownType(type);
        };
    }

    /** The ordered relations that kernels use most, spelled out so that they compile to a comparison. */
    private static Functions.IntTest floatTest(String relation, Comparison comparison) {
        return switch (relation) {
            case "lt" -> (a, b) -> Float.intBitsToFloat(a) < Float.intBitsToFloat(b);
            case "le" -> (a, b) -> Float.intBitsToFloat(a) <= Float.intBitsToFloat(b);
            case "gt" -> (a, b) -> Float.intBitsToFloat(a) > Float.intBitsToFloat(b);
            case "ge" -> (a, b) -> Float.intBitsToFloat(a) >= Float.intBitsToFloat(b);
            case "eq" -> (a, b) -> Float.intBitsToFloat(a) == Float.intBitsToFloat(b);
            default -> (a, b) -> comparison.test(Float.intBitsToFloat(a), Float.intBitsToFloat(b));
        };
    }

    private static Comparison comparison(Opcode opcode, String relation) {
        Comparison comparison = Comparison.of(relation);
        if (comparison == null) {
            throw opcode.error("." + relation + " is no comparison");
        }
        return comparison;
    }

    private static Functions.IntTest integerTest(Opcode opcode, String relation, boolean signed) {
        return switch (relation) {
            case "eq" -> (a, b) -> a == b;
            case "ne" -> (a, b) -> a != b;
            case "lt" -> signed ? (a, b) -> a < b : (a, b) -> Integer.compareUnsigned(a, b) < 0;
            case "le" -> signed ? (a, b) -> a <= b : (a, b) -> Integer.compareUnsigned(a, b) <= 0;
            case "gt" -> signed ? (a, b) -> a > b : (a, b) -> Integer.compareUnsigned(a, b) > 0;
            case "ge" -> signed ? (a, b) -> a >= b : (a, b) -> Integer.compareUnsigned(a, b) >= 0;
            case "lo" -> (a, b) -> Integer.compareUnsigned(a, b) < 0;
            case "ls" -> (a, b) -> Integer.compareUnsigned(a, b) <= 0;
            case "hi" -> (a, b) -> Integer.compareUnsigned(a, b) > 0;
            case "hs" -> (a, b) -> Integer.compareUnsigned(a, b) >= 0;
            default -> throw opcode.error("." + relation + " compares no integers");
        };
    }

    private static Functions.LongTest longTest(Opcode opcode, String relation, String type) {
        if (type.equals("f64")) {
            Comparison comparison = comparison(opcode, relation);
            return (a, b) -> comparison.test(Double.longBitsToDouble(a), Double.longBitsToDouble(b));
        }
        boolean signed = type.equals("s64");
        return switch (relation) {
            case "eq" -> (a, b) -> a == b;
            case "ne" -> (a, b) -> a != b;
            case "lt" -> signed ? (a, b) -> a < b : (a, b) -> Long.compareUnsigned(a, b) < 0;
            case "le" -> signed ? (a, b) -> a <= b : (a, b) -> Long.compareUnsigned(a, b) <= 0;
            case "gt" -> signed ? (a, b) -> a > b : (a, b) -> Long.compareUnsigned(a, b) > 0;
            case "ge" -> signed ? (a, b) -> a >= b : (a, b) -> Long.compareUnsigned(a, b) >= 0;
            case "lo" -> (a, b) -> Long.compareUnsigned(a, b) < 0;
            case "ls" -> (a, b) -> Long.compareUnsigned(a, b) <= 0;
            case "hi" -> (a, b) -> Long.compareUnsigned(a, b) > 0;
            case "hs" -> (a, b) -> Long.compareUnsigned(a, b) >= 0;
            default -> throw opcode.error("." + relation + " compares no integers");
        };
    }

    /** A test, and how its result is combined. */
    record IntQuestion(Functions.IntTest test, IntBinaryOperator combine) {
    }

    /** A test, and how its result is combined. */
    record LongQuestion(Functions.LongTest test, IntBinaryOperator combine) {
    }

    /** Of 32 bits or less. Registers: p, q or -1, c or -1, flip of c, a, b. */
    static final class IntComparison extends Instruction {
        private final Functions.IntTest test;
        private final IntBinaryOperator combine;
        private final int[] registers;
        private final int a;
        private final int b;

        IntComparison(IntQuestion question, int[] registers) {
            this.test = question.test();
            this.combine = question.combine();
            this.registers = registers;
            a = registers[4];
            b = registers[5];
        }

        @Override
        public void execute(Warp warp, int mask) {
            int[] first = warp.ints[a];
            int[] second = warp.ints[b];
            int holds = 0;
            for (int lane = 0; lane < Lanes.COUNT; lane++) {
                holds |= test.test(first[lane], second[lane]) ? 1 << lane : 0;
            }
            finish(warp, mask, holds, combine, registers);
        }
    }

    /** Of 64 bits. Registers as above. */
    static final class LongComparison extends Instruction {
        private final Functions.LongTest test;
        private final IntBinaryOperator combine;
        private final int[] registers;
        private final int a;
        private final int b;

        LongComparison(LongQuestion question, int[] registers) {
            this.test = question.test();
            this.combine = question.combine();
            this.registers = registers;
            a = registers[4];
            b = registers[5];
        }

        @Override
        public void execute(Warp warp, int mask) {
            long[] first = warp.longs[a];
            long[] second = warp.longs[b];
            int holds = 0;
            for (int lane = 0; lane < Lanes.COUNT; lane++) {
                holds |= test.test(first[lane], second[lane]) ? 1 << lane : 0;
            }
            finish(warp, mask, holds, combine, registers);
        }
    }

    /** q gets the opposite of the comparison, combined in the same way. Not private: copies are no nest members. */
    static void finish(Warp warp, int mask, int holds, IntBinaryOperator combine, int[] registers) {
        if (registers[2] < 0) {
            warp.setPredicate(registers[0], mask, holds);
            if (registers[1] >= 0) {
                warp.setPredicate(registers[1], mask, ~holds);
            }
            return;
        }
        int with = warp.predicates[registers[2]] ^ registers[3];
        warp.setPredicate(registers[0], mask, combine.applyAsInt(holds, with));
        if (registers[1] >= 0) {
            warp.setPredicate(registers[1], mask, combine.applyAsInt(~holds, with));
        }
    }

    /** Of pairs: p is about the lower halves, q about the upper ones. */
    private static final class PairComparison extends Instruction {
        private final Functions.IntTest test;
        private final int[] registers;
        private final int a;
        private final int b;
        private final IntBinaryOperator combine;

        PairComparison(Functions.IntTest test, int[] registers, int a, int b, IntBinaryOperator combine) {
            this.test = test;
            this.registers = registers;
            this.a = a;
            this.b = b;
            this.combine = combine;
        }

        @Override
        public void execute(Warp warp, int mask) {
            int low = 0;
            int high = 0;
            for (int m = mask; m != 0; m &= m - 1) {
                int lane = Integer.numberOfTrailingZeros(m);
                int x = warp.ints[a][lane];
                int y = warp.ints[b][lane];
                low |= test.test(x & 0xffff, y & 0xffff) ? 1 << lane : 0;
                high |= test.test(x >>> 16, y >>> 16) ? 1 << lane : 0;
            }
            int with = registers[2] < 0 ? 0 : warp.predicates[registers[2]] ^ registers[3];
            warp.setPredicate(registers[0], mask, combine.applyAsInt(low, with));
            warp.setPredicate(registers[1], mask, combine.applyAsInt(high, with));
        }
    }
}
