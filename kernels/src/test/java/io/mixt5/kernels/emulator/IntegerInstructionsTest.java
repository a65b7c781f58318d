package io.mixt5.kernels.emulator;

import static io.mixt5.kernels.emulator.InstructionTable.kinds;

import io.mixt5.kernels.emulator.InstructionTable.Kind;
import java.math.BigInteger;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Integer and logic instructions against big integers and the ISA's definitions. */
class IntegerInstructionsTest {
    private static final String[] TYPES = {"u16", "s16", "u32", "s32", "u64", "s64"};

    private final InstructionTable table = new InstructionTable();

    private static int width(String type) {
        return Integer.parseInt(type.substring(1));
    }

    private static Kind kind(int width) {
        return width == 16 ? Kind.B16 : width == 32 ? Kind.B32 : Kind.B64;
    }

    private static Kind kind(String type) {
        return kind(width(type));
    }

    /** The integer that bits mean in a type. */
    private static BigInteger value(String type, long bits) {
        BigInteger all = BigInteger.ONE.shiftLeft(width(type));
        BigInteger value = BigInteger.valueOf(bits).mod(all);
        return type.startsWith("s") && value.testBit(width(type) - 1) ? value.subtract(all) : value;
    }

    private void unary(String opcode, String type, UnaryOperator<BigInteger> function) {
        table.add(opcode + "." + type, kind(type), kinds(kind(type)), x -> function.apply(value(type, x[0])).longValue());
    }

    private void binary(String opcode, String type, BinaryOperator<BigInteger> function) {
        table.add(opcode + "." + type, kind(type), kinds(kind(type), kind(type)),
                x -> function.apply(value(type, x[0]), value(type, x[1])).longValue());
    }

    @Test
    void arithmetic() {
        for (String type : TYPES) {
            binary("add", type, BigInteger::add);
            binary("sub", type, BigInteger::subtract);
            binary("min", type, BigInteger::min);
            binary("max", type, BigInteger::max);
            binary("mul.lo", type, BigInteger::multiply);
            binary("mul.hi", type, (a, b) -> a.multiply(b).shiftRight(width(type)));
            Kind kind = kind(type);
            table.add("mad.lo." + type, kind, kinds(kind, kind, kind), x -> x[0] * x[1] + x[2]);
            // Division by zero is undefined; a divisor whose second bit is set is not 0.
            String or = "or.b" + width(type) + " $b, $b, 2; ";
            table.addText(or + "div." + type + " $d, $a, $b", kind, kinds(kind, kind),
                    x -> value(type, x[0]).divide(value(type, x[1] | 2)).longValue());
            table.addText(or + "rem." + type + " $d, $a, $b", kind, kinds(kind, kind),
                    x -> value(type, x[0]).remainder(value(type, x[1] | 2)).longValue());
            if (type.startsWith("s")) {
                unary("neg", type, BigInteger::negate);
                unary("abs", type, BigInteger::abs);
            }
            if (width(type) < 64) {
                Kind wide = kind(2 * width(type));
                table.add("mul.wide." + type, wide, kinds(kind, kind),
                        x -> value(type, x[0]).multiply(value(type, x[1])).longValue());
                table.add("mad.wide." + type, wide, kinds(kind, kind, wide),
                        x -> value(type, x[0]).multiply(value(type, x[1])).longValue() + x[2]);
            }
            if (width(type) == 32) {
                table.add("sad." + type, kind, kinds(kind, kind, kind),
                        x -> value(type, x[0]).subtract(value(type, x[1])).abs().longValue() + x[2]);
            }
            if (width(type) > 16) {
                table.add("mad.hi." + type, kind, kinds(kind, kind, kind),
                        x -> value(type, x[0]).multiply(value(type, x[1])).shiftRight(width(type)).longValue() + x[2]);
            }
        }
        table.add("add.sat.s32", Kind.B32, kinds(Kind.B32, Kind.B32),
                x -> Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, (long) (int) x[0] + (int) x[1])));
        table.add("sub.sat.s32", Kind.B32, kinds(Kind.B32, Kind.B32),
                x -> Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, (long) (int) x[0] - (int) x[1])));
        table.add("mul24.lo.u32", Kind.B32, kinds(Kind.B32, Kind.B32), x -> (x[0] & 0xffffff) * (x[1] & 0xffffff));
        table.check();
    }

    @Test
    void sumsOfSeveralWords() {
        Kind[] three = kinds(Kind.B32, Kind.B32, Kind.B32);
        // The carry of a + b goes into c + c.
        table.addText("add.cc.u32 %r4, $a, $b; addc.u32 $d, $c, $c", Kind.B32, three,
                x -> 2 * x[2] + (x[0] + x[1] >>> 32));
        // The borrow of a - b goes into c - 0.
        table.addText("sub.cc.u32 %r4, $a, $b; subc.u32 $d, $c, 0", Kind.B32, three, x -> x[2] - (x[0] < x[1] ? 1 : 0));
        table.addText("mad.lo.cc.u32 %r4, $a, $b, $c; madc.hi.u32 $d, $a, $b, 0", Kind.B32, three,
                x -> value("u64", x[0]).multiply(value("u64", x[1])).add(value("u64", x[2])).shiftRight(32).longValue());
        table.check();
    }

    @Test
    void logic() {
        for (int width : new int[]{16, 32, 64}) {
            Kind kind = kind(width);
            table.add("and.b" + width, kind, kinds(kind, kind), x -> x[0] & x[1]);
            table.add("or.b" + width, kind, kinds(kind, kind), x -> x[0] | x[1]);
            table.add("xor.b" + width, kind, kinds(kind, kind), x -> x[0] ^ x[1]);
            table.add("not.b" + width, kind, kinds(kind), x -> ~x[0]);
            table.add("cnot.b" + width, kind, kinds(kind), x -> x[0] == 0 ? 1 : 0);
        }
        Kind[] two = kinds(Kind.PRED, Kind.PRED);
        table.add("and.pred", Kind.PRED, two, x -> x[0] & x[1]);
        table.add("or.pred", Kind.PRED, two, x -> x[0] | x[1]);
        table.add("xor.pred", Kind.PRED, two, x -> x[0] ^ x[1]);
        table.add("not.pred", Kind.PRED, kinds(Kind.PRED), x -> 1 - x[0]);
        for (int lut : new int[]{0, 0x96, 0xe8, 0xca, 0x40, 0xff, 0x1b}) {
            table.addText("lop3.b32 $d, $a, $b, $c, " + lut, Kind.B32, kinds(Kind.B32, Kind.B32, Kind.B32), x -> {
                long result = 0;
                for (int bit = 0; bit < 32; bit++) {
                    long index = (x[0] >> bit & 1) << 2 | (x[1] >> bit & 1) << 1 | x[2] >> bit & 1;
                    result |= (lut >> index & 1L) << bit;
                }
                return result;
            });
        }
        table.check();
    }

    @Test
    void shifts() {
        for (String type : TYPES) {
            int width = width(type);
            table.add("shr." + type, kind(type), kinds(kind(type), Kind.B32),
                    x -> value(type, x[0]).shiftRight((int) Math.min(x[1], 64)).longValue());
            if (type.startsWith("u")) {
                table.add("shl.b" + width, kind(type), kinds(kind(type), Kind.B32),
                        x -> x[1] >= width ? 0 : x[0] << x[1]);
            }
        }
        Kind[] three = kinds(Kind.B32, Kind.B32, Kind.B32);
        table.add("shf.l.wrap.b32", Kind.B32, three, x -> (x[1] << 32 | x[0]) << (x[2] & 31) >>> 32);
        table.add("shf.r.wrap.b32", Kind.B32, three, x -> (x[1] << 32 | x[0]) >>> (x[2] & 31));
        table.add("shf.l.clamp.b32", Kind.B32, three, x -> x[2] >= 32 ? x[0] : (x[1] << 32 | x[0]) << x[2] >>> 32);
        table.add("shf.r.clamp.b32", Kind.B32, three, x -> x[2] >= 32 ? x[1] : (x[1] << 32 | x[0]) >>> x[2]);
        table.check();
    }

    @Test
    void bits() {
        table.add("popc.b32", Kind.B32, kinds(Kind.B32), x -> Long.bitCount(x[0]));
        table.add("popc.b64", Kind.B32, kinds(Kind.B64), x -> Long.bitCount(x[0]));
        table.add("clz.b32", Kind.B32, kinds(Kind.B32), x -> Long.numberOfLeadingZeros(x[0]) - 32);
        table.add("clz.b64", Kind.B32, kinds(Kind.B64), x -> Long.numberOfLeadingZeros(x[0]));
        table.add("brev.b32", Kind.B32, kinds(Kind.B32), x -> Integer.reverse((int) x[0]));
        table.add("brev.b64", Kind.B64, kinds(Kind.B64), x -> Long.reverse(x[0]));
        for (String type : new String[]{"u32", "s32", "u64", "s64"}) {
            int width = width(type);
            // The highest bit that differs from the sign: one less than the length of two's complement.
            table.add("bfind." + type, Kind.B32, kinds(kind(type)), x -> value(type, x[0]).bitLength() - 1);
            table.add("bfind.shiftamt." + type, Kind.B32, kinds(kind(type)), x -> {
                int length = value(type, x[0]).bitLength();
                return length == 0 ? -1 : width - length;
            });
            table.add("bfe." + type, kind(type), kinds(kind(type), Kind.B32, Kind.B32),
                    x -> field(type, x[0], (int) x[1] & 0xff, (int) x[2] & 0xff));
        }
        for (int width : new int[]{32, 64}) {
            Kind kind = kind(width);
            table.addText("bfi.b" + width + " $d, $a, $b, $c, $e", kind,
                    kinds(kind, kind, Kind.B32, Kind.B32), x -> {
                        int from = (int) x[2] & 0xff;
                        long result = x[1];
                        for (int i = 0; i < ((int) x[3] & 0xff) && from + i < width; i++) {
                            result = result & ~(1L << from + i) | (x[0] >>> i & 1) << from + i;
                        }
                        return result;
                    });
        }
        table.check();
    }

    /** bfe as the ISA spells it out. */
    private static long field(String type, long bits, int from, int length) {
        int highest = width(type) - 1;
        long sign = type.startsWith("u") || length == 0 ? 0 : bits >>> Math.min(from + length - 1, highest) & 1;
        long result = 0;
        for (int i = 0; i <= highest; i++) {
            long bit = i < length && from + i <= highest ? bits >>> from + i & 1 : sign;
            result |= bit << i;
        }
        return result;
    }

    @Test
    void bytes() {
        table.add("prmt.b32", Kind.B32, kinds(Kind.B32, Kind.B32, Kind.B32), x -> {
            long result = 0;
            for (int i = 0; i < 4; i++) {
                int selector = (int) (x[2] >>> 4 * i) & 15;
                long value = (x[1] << 32 | x[0]) >>> 8 * (selector & 7) & 0xff;
                result |= ((selector & 8) == 0 ? value : (byte) value >> 7 & 0xff) << 8 * i;
            }
            return result;
        });
        table.addText("prmt.b32 $d, $a, $b, 0x5410", Kind.B32, kinds(Kind.B32, Kind.B32),
                x -> x[1] << 16 | x[0] & 0xffff);
        table.add("dp4a.s32.s32", Kind.B32, kinds(Kind.B32, Kind.B32, Kind.B32), x -> {
            long sum = x[2];
            for (int i = 0; i < 32; i += 8) {
                sum += (byte) (x[0] >> i) * (byte) (x[1] >> i);
            }
            return sum;
        });
        table.addText("mov.b64 $d, {$a, $b}", Kind.B64, kinds(Kind.B32, Kind.B32), x -> x[1] << 32 | x[0]);
        table.addText("mov.b32 $d, {$a, $b}", Kind.B32, kinds(Kind.B16, Kind.B16), x -> x[1] << 16 | x[0]);
        table.addText("mov.b64 {%r4, $d}, $a", Kind.B32, kinds(Kind.B64), x -> x[0] >>> 32);
        table.addText("mov.b32 {$d, %h4}, $a", Kind.B16, kinds(Kind.B32), x -> x[0]);
        table.check();
    }

    @Test
    void comparisons() {
        for (String type : TYPES) {
            Kind[] two = kinds(kind(type), kind(type));
            String[] signs = {"eq", "ne", "lt", "le", "gt", "ge"};
            for (String sign : signs) {
                table.add("setp." + sign + "." + type, Kind.PRED, two,
                        x -> holds(sign, value(type, x[0]).compareTo(value(type, x[1]))) ? 1 : 0);
            }
            table.add("selp." + type, kind(type), kinds(kind(type), kind(type), Kind.PRED),
                    x -> x[2] != 0 ? x[0] : x[1]);
        }
        for (String sign : new String[]{"lo", "ls", "hi", "hs"}) {
            table.add("setp." + sign + ".u32", Kind.PRED, kinds(Kind.B32, Kind.B32),
                    x -> holds(sign, Long.compare(x[0], x[1])) ? 1 : 0);
        }
        table.add("slct.b32.s32", Kind.B32, kinds(Kind.B32, Kind.B32, Kind.B32), x -> (int) x[2] >= 0 ? x[0] : x[1]);
        table.add("set.lt.u32.s32", Kind.B32, kinds(Kind.B32, Kind.B32), x -> (int) x[0] < (int) x[1] ? -1 : 0);
        table.addText("setp.gt.and.s32 $d, $a, $b, $c", Kind.PRED, kinds(Kind.B32, Kind.B32, Kind.PRED),
                x -> (int) x[0] > (int) x[1] ? x[2] : 0);
        table.addText("setp.gt.or.s32 %p4|$d, $a, $b, !$c", Kind.PRED, kinds(Kind.B32, Kind.B32, Kind.PRED),
                x -> (int) x[0] > (int) x[1] ? 1 - x[2] : 1);
        table.check();
    }

    private static boolean holds(String sign, int order) {
        return switch (sign) {
            case "eq" -> order == 0;
            case "ne" -> order != 0;
            case "lt", "lo" -> order < 0;
            case "le", "ls" -> order <= 0;
            case "gt", "hi" -> order > 0;
            default -> order >= 0;
        };
    }
}
