package io.mixt5.kernels.emulator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BinaryOperator;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Integer arithmetic, shifts and bits against {@link BigInteger}, for all pairs of some awkward values. */
class IntegerInstructionsTest {
    private static final String[] TYPES = {"u16", "s16", "u32", "s32", "u64", "s64"};

    /** Awkward values of a width, and all pairs of them. */
    private static long[] values(int bits) {
        long top = 1L << bits - 1;
        Random random = new Random(bits);
        long[] values = {0, 1, 2, 3, 7, 10, -1, -2, -7, top, top - 1, top + 1, 0x5555555555555555L, 0x8001, 0xffff,
                1L << bits / 2, random.nextLong(), random.nextLong(), random.nextLong()};
        for (int i = 0; i < values.length; i++) {
            values[i] &= -1L >>> 64 - bits;
        }
        return values;
    }

    private static long[][] pairs(long[] first, long[] second) {
        long[][] pairs = new long[2][first.length * second.length];
        for (int i = 0; i < pairs[0].length; i++) {
            pairs[0][i] = first[i / second.length];
            pairs[1][i] = second[i % second.length];
        }
        return pairs;
    }

    private static int bits(String type) {
        return Integer.parseInt(type.substring(1));
    }

    /** The number that bits mean. */
    private static BigInteger number(String type, long value) {
        BigInteger unsigned = new BigInteger(Long.toUnsignedString(value & -1L >>> 64 - bits(type)));
        return type.startsWith("s") && unsigned.testBit(bits(type) - 1)
                ? unsigned.subtract(BigInteger.ONE.shiftLeft(bits(type)))
                : unsigned;
    }

    private static long wrapped(BigInteger value, int bits) {
        return value.mod(BigInteger.ONE.shiftLeft(bits)).longValue();
    }

    private static void check(String opcode, String type, String resultType, BinaryOperator<BigInteger> expected,
            boolean withZero) {
        long[][] pairs = pairs(values(bits(type)), values(bits(type)));
        if (!withZero) {
            for (int i = 0; i < pairs[1].length; i++) {
                pairs[1][i] = pairs[1][i] == 0 ? 5 : pairs[1][i];
            }
        }
        String register = "b" + bits(type);
        long[] results = OpcodeRunner.run(opcode + " %d, %a, %b;", "b" + bits(resultType) + " " + register + " "
                + register, pairs);
        for (int i = 0; i < results.length; i++) {
            BigInteger exact = expected.apply(number(type, pairs[0][i]), number(type, pairs[1][i]));
            assertEquals(Long.toHexString(wrapped(exact, bits(resultType))), Long.toHexString(results[i]),
                    opcode + " of " + Long.toHexString(pairs[0][i]) + " and " + Long.toHexString(pairs[1][i]));
        }
    }

    @TestFactory
    List<DynamicTest> computesLikeBigInteger() {
        List<DynamicTest> tests = new ArrayList<>();
        for (String type : TYPES) {
            add(tests, "add." + type, type, type, BigInteger::add, true);
            add(tests, "sub." + type, type, type, BigInteger::subtract, true);
            add(tests, "min." + type, type, type, BigInteger::min, true);
            add(tests, "max." + type, type, type, BigInteger::max, true);
            add(tests, "mul.lo." + type, type, type, BigInteger::multiply, true);
            add(tests, "mul.hi." + type, type, type, (a, b) -> a.multiply(b).shiftRight(bits(type)), true);
            add(tests, "div." + type, type, type, BigInteger::divide, false);
            add(tests, "rem." + type, type, type, BigInteger::remainder, false);
            if (bits(type) < 64) {
                String wide = type.charAt(0) + "" + 2 * bits(type);
                add(tests, "mul.wide." + type, type, wide, BigInteger::multiply, true);
            }
        }
        BigInteger least = BigInteger.valueOf(Integer.MIN_VALUE);
        BigInteger most = BigInteger.valueOf(Integer.MAX_VALUE);
        add(tests, "add.sat.s32", "s32", "s32", (a, b) -> a.add(b).max(least).min(most), true);
        add(tests, "sub.sat.s32", "s32", "s32", (a, b) -> a.subtract(b).max(least).min(most), true);
        for (String bits : new String[]{"16", "32", "64"}) {
            add(tests, "and.b" + bits, "u" + bits, "u" + bits, BigInteger::and, true);
            add(tests, "or.b" + bits, "u" + bits, "u" + bits, BigInteger::or, true);
            add(tests, "xor.b" + bits, "u" + bits, "u" + bits, BigInteger::xor, true);
        }
        BigInteger low24 = BigInteger.valueOf(0xffffff);
        add(tests, "mul24.lo.u32", "u32", "u32", (a, b) -> a.and(low24).multiply(b.and(low24)), true);
        add(tests, "mul24.hi.u32", "u32", "u32", (a, b) -> a.and(low24).multiply(b.and(low24)).shiftRight(16), true);
        return tests;
    }

    private static void add(List<DynamicTest> tests, String opcode, String type, String resultType,
            BinaryOperator<BigInteger> expected, boolean withZero) {
        tests.add(DynamicTest.dynamicTest(opcode, () -> check(opcode, type, resultType, expected, withZero)));
    }

    @TestFactory
    List<DynamicTest> multipliesAndAdds() {
        List<DynamicTest> tests = new ArrayList<>();
        for (String type : TYPES) {
            tests.add(DynamicTest.dynamicTest("mad.lo." + type, () -> checkMad("lo", type, type)));
            if (bits(type) > 16) {
                tests.add(DynamicTest.dynamicTest("mad.hi." + type, () -> checkMad("hi", type, type)));
            }
            if (bits(type) < 64) {
                tests.add(DynamicTest.dynamicTest("mad.wide." + type,
                        () -> checkMad("wide", type, type.charAt(0) + "" + 2 * bits(type))));
            }
        }
        return tests;
    }

    private static void checkMad(String part, String type, String resultType) {
        long[][] pairs = pairs(values(bits(type)), values(bits(type)));
        long[] addends = new Random(3).longs(pairs[0].length).toArray();
        String register = " b" + bits(type);
        long[] results = OpcodeRunner.run("mad." + part + "." + type + " %d, %a, %b, %c;", "b" + bits(resultType)
                + register + register + " b" + bits(resultType), pairs[0], pairs[1], addends);
        for (int i = 0; i < results.length; i++) {
            BigInteger product = number(type, pairs[0][i]).multiply(number(type, pairs[1][i]));
            BigInteger kept = part.equals("hi") ? product.shiftRight(bits(type)) : product;
            assertEquals(wrapped(kept.add(number(resultType, addends[i])), bits(resultType)), results[i]);
        }
    }

    @TestFactory
    List<DynamicTest> shiftsOut() {
        List<DynamicTest> tests = new ArrayList<>();
        for (String type : TYPES) {
            tests.add(DynamicTest.dynamicTest("shr." + type, () -> checkShift("shr", type)));
        }
        for (String bits : new String[]{"16", "32", "64"}) {
            tests.add(DynamicTest.dynamicTest("shl.b" + bits, () -> checkShift("shl", "u" + bits)));
        }
        return tests;
    }

    private static void checkShift(String name, String type) {
        int width = bits(type);
        long[][] pairs = pairs(values(width),
                new long[]{0, 1, 5, 15, 16, 17, 31, 32, 33, 63, 64, 65, 200, 0xffffffffL});
        String opcode = name + "." + (name.equals("shl") ? "b" + width : type);
        long[] results = OpcodeRunner.run(opcode + " %d, %a, %b;", "b" + width + " b" + width + " b32", pairs);
        for (int i = 0; i < results.length; i++) {
            BigInteger value = number(type, pairs[0][i]);
            int places = (int) Math.min(pairs[1][i], 100);
            BigInteger exact = name.equals("shl") ? value.shiftLeft(places) : value.shiftRight(places);
            assertEquals(wrapped(exact, width), results[i], opcode + " of " + Long.toHexString(pairs[0][i]) + " by "
                    + pairs[1][i]);
        }
    }

    @Test
    void funnelsShiftTwoRegisters() {
        long[] a = {0x89abcdefL, 0x89abcdefL, 0x89abcdefL, 0x89abcdefL};
        long[] b = {0x01234567L, 0x01234567L, 0x01234567L, 0x01234567L};
        long[] places = {0, 4, 32, 36};
        String types = "b32 b32 b32 b32";
        assertHex(OpcodeRunner.run("shf.l.wrap.b32 %d, %a, %b, %c;", types, a, b, places), 0x01234567, 0x12345678,
                0x01234567, 0x12345678);
        assertHex(OpcodeRunner.run("shf.l.clamp.b32 %d, %a, %b, %c;", types, a, b, places), 0x01234567, 0x12345678,
                0x89abcdefL, 0x89abcdefL);
        assertHex(OpcodeRunner.run("shf.r.wrap.b32 %d, %a, %b, %c;", types, a, b, places), 0x89abcdefL, 0x789abcde,
                0x89abcdefL, 0x789abcde);
        assertHex(OpcodeRunner.run("shf.r.clamp.b32 %d, %a, %b, %c;", types, a, b, places), 0x89abcdefL, 0x789abcde,
                0x01234567, 0x01234567);
    }

    @Test
    void countsAndFindsBits() {
        long[] a = {0, 1, 0x00f0, 0x80000000L, 0xffffffffL, 0xfffffff0L};
        assertHex(OpcodeRunner.run("popc.b32 %d, %a;", "b32 b32", a), 0, 1, 4, 1, 32, 28);
        assertHex(OpcodeRunner.run("clz.b32 %d, %a;", "b32 b32", a), 32, 31, 24, 0, 0, 0);
        assertHex(OpcodeRunner.run("brev.b32 %d, %a;", "b32 b32", a), 0, 0x80000000L, 0x0f000000, 1, 0xffffffffL,
                0x0fffffff);
        assertHex(OpcodeRunner.run("bfind.u32 %d, %a;", "b32 b32", a), 0xffffffffL, 0, 7, 31, 31, 31);
        assertHex(OpcodeRunner.run("bfind.s32 %d, %a;", "b32 b32", a), 0xffffffffL, 0, 7, 30, 0xffffffffL, 3);
        assertHex(OpcodeRunner.run("bfind.shiftamt.u32 %d, %a;", "b32 b32", a), 0xffffffffL, 31, 24, 0, 0, 0);
        long[] wide = {0, 1, 0xf0, 1L << 63, -1, -16};
        assertHex(OpcodeRunner.run("popc.b64 %d, %a;", "b32 b64", wide), 0, 1, 4, 1, 64, 60);
        assertHex(OpcodeRunner.run("clz.b64 %d, %a;", "b32 b64", wide), 64, 63, 56, 0, 0, 0);
        assertHex(OpcodeRunner.run("bfind.s64 %d, %a;", "b32 b64", wide), 0xffffffffL, 0, 7, 62, 0xffffffffL, 3);
        assertHex(OpcodeRunner.run("bfind.u64 %d, %a;", "b32 b64", wide), 0xffffffffL, 0, 7, 63, 63, 63);
        assertHex(OpcodeRunner.run("brev.b64 %d, %a;", "b64 b64", wide), 0, 1L << 63, 0x0f00000000000000L, 1, -1,
                0x0fffffffffffffffL);
        assertHex(OpcodeRunner.run("cnot.b32 %d, %a;", "b32 b32", a), 1, 0, 0, 0, 0, 0);
        assertHex(OpcodeRunner.run("not.b32 %d, %a;", "b32 b32", a), 0xffffffffL, 0xfffffffeL, 0xffffff0fL, 0x7fffffff,
                0,
                15);
    }

    @Test
    void extractsAndInsertsFields() {
        long[] a = {0x12345678, 0x87654321L, 0x87654321L, 0x87654321L, 0x87654321L};
        long[] at = {4, 28, 28, 40, 4};
        long[] length = {8, 4, 8, 4, 0};
        String types = "b32 b32 b32 b32";
        assertHex(OpcodeRunner.run("bfe.u32 %d, %a, %b, %c;", types, a, at, length), 0x67, 8, 8, 0, 0);
        assertHex(OpcodeRunner.run("bfe.s32 %d, %a, %b, %c;", types, a, at, length), 0x67, 0xfffffff8L, 0xfffffff8L,
                0xffffffffL, 0);
        assertHex(OpcodeRunner.run("bfe.u64 %d, %a, %b, %c;", "b64 b64 b32 b32", new long[]{0x123456789abcdef0L, -1},
                new long[]{32, 60}, new long[]{16, 8}), 0x5678, 15);
        assertHex(OpcodeRunner.run("bfe.s64 %d, %a, %b, %c;", "b64 b64 b32 b32", new long[]{0x1234f6789abcdef0L, -1},
                new long[]{32, 60}, new long[]{16, 8}), 0xfffffffffffff678L, -1);
        assertHex(OpcodeRunner.run("bfi.b32 %d, %a, %b, %c, %e;", "b32 b32 b32 b32 b32",
                new long[]{0xff, 0xabcd, 0xff, 0xff},
                new long[]{0, 0x12345678, 0x11111111, 0x11111111}, new long[]{4, 8, 28, 32}, new long[]{4, 16, 8, 8}),
                0xf0, 0x12abcd78, 0xf1111111L, 0x11111111);
        assertHex(
                OpcodeRunner.run("bfi.b64 %d, %a, %b, %c, %e;", "b64 b64 b64 b32 b32", new long[]{0xff}, new long[]{0},
                        new long[]{40}, new long[]{4}),
                0xf0000000000L);
    }

    @Test
    void permutesBytes() {
        long[] a = {0x33221100, 0x33221100, 0x33221180, 0x33221100};
        long[] b = {0x77665544, 0x77665544, 0x77665544, 0x77665544};
        String types = "b32 b32 b32 b32";
        assertHex(OpcodeRunner.run("prmt.b32 %d, %a, %b, %c;", types, a, b, new long[]{0x3210, 0x7531, 0x8888, 0x0765}),
                0x33221100, 0x77553311, 0xffffffffL, 0x00776655);
        long[] which = {0, 1, 2, 3};
        long[] same = {0x33221100, 0x33221100, 0x33221100, 0x33221100};
        assertHex(OpcodeRunner.run("prmt.b32.f4e %d, %a, %b, %c;", types, same, b, which), 0x33221100, 0x44332211,
                0x55443322, 0x66554433);
        assertHex(OpcodeRunner.run("prmt.b32.b4e %d, %a, %b, %c;", types, same, b, which), 0x55667700, 0x66770011,
                0x77001122, 0x00112233);
        assertHex(OpcodeRunner.run("prmt.b32.rc8 %d, %a, %b, %c;", types, same, b, which), 0, 0x11111111, 0x22222222,
                0x33333333);
        assertHex(OpcodeRunner.run("prmt.b32.rc16 %d, %a, %b, %c;", types, same, b, which), 0x11001100, 0x33223322,
                0x11001100, 0x33223322);
        assertHex(OpcodeRunner.run("prmt.b32.ecl %d, %a, %b, %c;", types, same, b, which), 0x33221100, 0x33221111,
                0x33222222, 0x33333333);
        assertHex(OpcodeRunner.run("prmt.b32.ecr %d, %a, %b, %c;", types, same, b, which), 0, 0x11111100, 0x22221100,
                0x33221100);
    }

    @TestFactory
    List<DynamicTest> looksUpThreeBits() {
        List<DynamicTest> tests = new ArrayList<>();
        // The constants of the ISA: a, b and c as tables are 0xf0, 0xcc and 0xaa.
        int[][] tables = {{0xf0 & 0xcc & 0xaa, 0}, {0xf0 | 0xcc | 0xaa, 1}, {0xf0 ^ 0xcc ^ 0xaa, 2},
                {0xf0 & 0xcc ^ 0xaa, 3}, {~0xf0 & 0xff | 0xcc & 0xaa, 4}};
        for (int[] table : tables) {
            tests.add(DynamicTest.dynamicTest("lop3 " + Integer.toHexString(table[0]), () -> {
                long[] a = new Random(1).longs(70, 0, 1L << 32).toArray();
                long[] b = new Random(2).longs(70, 0, 1L << 32).toArray();
                long[] c = new Random(3).longs(70, 0, 1L << 32).toArray();
                long[] results = OpcodeRunner.run("lop3.b32 %d, %a, %b, %c, " + table[0] + ";", "b32 b32 b32 b32", a, b,
                        c);
                for (int i = 0; i < results.length; i++) {
                    long expected = switch (table[1]) {
                        case 0 -> a[i] & b[i] & c[i];
                        case 1 -> a[i] | b[i] | c[i];
                        case 2 -> a[i] ^ b[i] ^ c[i];
                        case 3 -> a[i] & b[i] ^ c[i];
                        default -> ~a[i] | b[i] & c[i];
                    };
                    assertEquals(expected & 0xffffffffL, results[i]);
                }
            }));
        }
        return tests;
    }

    /** A product of 128 bits from 32-bit parts, as nvcc writes it, is that of BigInteger. */
    @Test
    void carries() {
        String code = "{ .reg .b32 %x0, %x1, %y0, %y1, %r0, %r1, %r2, %r3; .reg .b64 %low, %high;\n"
                + "mov.b64 {%x0, %x1}, %a; mov.b64 {%y0, %y1}, %b;\n"
                + "mul.lo.u32 %r0, %x0, %y0; mul.hi.u32 %r1, %x0, %y0;\n"
                + "mad.lo.cc.u32 %r1, %x0, %y1, %r1; madc.hi.u32 %r2, %x0, %y1, 0;\n"
                + "mad.lo.cc.u32 %r1, %x1, %y0, %r1; madc.hi.cc.u32 %r2, %x1, %y0, %r2; addc.u32 %r3, 0, 0;\n"
                + "mad.lo.cc.u32 %r2, %x1, %y1, %r2; madc.hi.u32 %r3, %x1, %y1, %r3;\n"
                + "mov.b64 %low, {%r0, %r1}; mov.b64 %high, {%r2, %r3}; xor.b64 %d, %low, %high; }";
        long[][] pairs = pairs(values(64), values(64));
        long[] results = OpcodeRunner.run(code, "b64 b64 b64", pairs);
        for (int i = 0; i < results.length; i++) {
            BigInteger product = number("u64", pairs[0][i]).multiply(number("u64", pairs[1][i]));
            assertEquals(product.longValue() ^ product.shiftRight(64).longValue(), results[i]);
        }
        String difference = "{ .reg .b64 %low, %high; sub.cc.u64 %low, %a, %b; subc.u64 %high, 5, 7; xor.b64 %d, %low, %high; }";
        long[] differences = OpcodeRunner.run(difference, "b64 b64 b64", pairs);
        for (int i = 0; i < differences.length; i++) {
            long borrow = Long.compareUnsigned(pairs[0][i], pairs[1][i]) < 0 ? 1 : 0;
            assertEquals(pairs[0][i] - pairs[1][i] ^ -2 - borrow, differences[i]);
        }
    }

    @Test
    void negatesSumsDifferencesAndDots() {
        assertHex(OpcodeRunner.run("neg.s16 %d, %a;", "b16 b16", new long[]{1, 0x8000, 0}), 0xffff, 0x8000, 0);
        assertHex(OpcodeRunner.run("abs.s32 %d, %a;", "b32 b32", new long[]{0xffffffffL, 5, 0x80000000L}), 1, 5,
                0x80000000L);
        assertHex(OpcodeRunner.run("neg.s64 %d, %a;", "b64 b64", new long[]{1, Long.MIN_VALUE}), -1, Long.MIN_VALUE);
        assertHex(OpcodeRunner.run("sad.s32 %d, %a, %b, %c;", "b32 b32 b32 b32", new long[]{0xffffffffL, 3},
                new long[]{2, 1},
                new long[]{10, 10}), 13, 12);
        assertHex(OpcodeRunner.run("sad.u32 %d, %a, %b, %c;", "b32 b32 b32 b32", new long[]{0xffffffffL}, new long[]{2},
                new long[]{10}), 7);
        assertHex(OpcodeRunner.run("dp4a.s32.s32 %d, %a, %b, %c;", "b32 b32 b32 b32", new long[]{0xff020304L},
                new long[]{0x01020380L}, new long[]{1000}), 1000 - 1 + 4 + 9 - 512);
        assertHex(
                OpcodeRunner.run("bmsk.clamp.b32 %d, %a, %b;", "b32 b32 b32", new long[]{4, 28, 40},
                        new long[]{8, 8, 3}),
                0xff0, 0xf0000000L, 0);
    }

    private static void assertHex(long[] results, long... expected) {
        for (int i = 0; i < expected.length; i++) {
            assertEquals(Long.toHexString(expected[i]), Long.toHexString(results[i]), "result " + i);
        }
        assertEquals(expected.length, results.length);
    }
}
