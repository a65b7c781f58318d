package io.mixt5.kernels.emulator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * That opcodes of floating point do what they are called: each on operands where its roundings, its flushing or its
 * treatment of NaN shows. The arithmetic itself is tested exhaustively beside it, in package math.
 */
class FloatInstructionsTest {
    private static final long ONE = 0x3f800000L;
    private static final long AFTER_ONE = 0x3f800001L;
    private static final long BEFORE_ONE = 0x3f7fffffL;
    private static final long MINUS_ONE = 0xbf800000L;
    private static final long TINY = 0x30800000L;
    private static final long SUBNORMAL = 0x00000001L;
    private static final long INFINITY = 0x7f800000L;
    private static final long NAN = 0x7fffffffL;
    private static final long TWO = 0x40000000L;
    private static final long THREE = 0x40400000L;
    private static final long THIRD = 0x3eaaaaabL;
    private static final long THIRD_DOWN = 0x3eaaaaaaL;

    private final List<DynamicTest> tests = new ArrayList<>();

    /** One case of an opcode whose operands and result have the same type. */
    private void add(String opcode, String register, long expected, long... operands) {
        add(opcode, register, register, expected, operands);
    }

    private void add(String opcode, String result, String register, long expected, long... operands) {
        String shown = opcode + " of " + hex(operands);
        tests.add(DynamicTest.dynamicTest(shown, () -> {
            StringBuilder instruction = new StringBuilder(opcode).append(" %d");
            StringBuilder types = new StringBuilder(result);
            long[][] columns = new long[operands.length][];
            for (int i = 0; i < operands.length; i++) {
                instruction.append(", %").append("abce".charAt(i));
                types.append(' ').append(register);
                columns[i] = new long[]{operands[i]};
            }
            long[] results = OpcodeRunner.run(instruction.append(';').toString(), types.toString(), columns);
            assertEquals(Long.toHexString(expected), Long.toHexString(results[0]));
        }));
    }

    private static String hex(long[] values) {
        StringBuilder text = new StringBuilder();
        for (long value : values) {
            text.append(' ').append(Long.toHexString(value));
        }
        return text.toString();
    }

    @TestFactory
    List<DynamicTest> singlePrecision() {
        add("add.f32", "b32", ONE, ONE, TINY);
        add("add.rn.f32", "b32", ONE, ONE, TINY);
        add("add.rz.f32", "b32", ONE, ONE, TINY);
        add("add.rp.f32", "b32", AFTER_ONE, ONE, TINY);
        add("add.rm.f32", "b32", ONE, ONE, TINY);
        add("add.f32", "b32", 2 * SUBNORMAL, SUBNORMAL, SUBNORMAL);
        add("add.ftz.f32", "b32", 0, SUBNORMAL, SUBNORMAL);
        add("add.sat.f32", "b32", ONE, ONE, ONE);
        add("add.sat.f32", "b32", 0, NAN, ONE);
        add("add.f32", "b32", NAN, INFINITY, INFINITY | 1L << 31);
        add("sub.rm.f32", "b32", BEFORE_ONE, ONE, TINY);
        add("sub.rz.f32", "b32", BEFORE_ONE, ONE, TINY);
        add("sub.f32", "b32", 0, ONE, ONE);
        add("sub.rm.f32", "b32", 1L << 31, ONE, ONE);
        add("mul.f32", "b32", 0x3f800002L, AFTER_ONE, AFTER_ONE);
        add("mul.rp.f32", "b32", 0x3f800003L, AFTER_ONE, AFTER_ONE);
        add("mul.ftz.f32", "b32", 0, 0x00800000L, 0x3f000000L);
        add("mul.f32", "b32", 0x00400000L, 0x00800000L, 0x3f000000L);
        // The square of 1 + 2^-23 minus 1 + 2^-22 leaves 2^-46 only if it was rounded once.
        add("fma.rn.f32", "b32", 0x28800000L, AFTER_ONE, AFTER_ONE, 0xbf800002L);
        add("mad.rn.f32", "b32", 0x28800000L, AFTER_ONE, AFTER_ONE, 0xbf800002L);
        add("fma.rp.f32", "b32", AFTER_ONE, TINY, ONE, ONE);
        add("fma.rn.sat.f32", "b32", ONE, TWO, TWO, ONE);
        add("div.rn.f32", "b32", THIRD, ONE, THREE);
        add("div.rz.f32", "b32", THIRD_DOWN, ONE, THREE);
        add("div.approx.f32", "b32", THREE, 0x40c00000L, TWO);
        add("div.full.f32", "b32", THREE, 0x40c00000L, TWO);
        add("rcp.rn.f32", "b32", THIRD, THREE);
        add("rcp.rm.f32", "b32", THIRD_DOWN, THREE);
        add("rcp.approx.ftz.f32", "b32", INFINITY, SUBNORMAL);
        add("sqrt.rn.f32", "b32", 0x3fb504f3L, TWO);
        add("sqrt.rp.f32", "b32", 0x3fb504f4L, TWO);
        add("sqrt.approx.f32", "b32", TWO, 0x40800000L);
        add("rsqrt.approx.f32", "b32", 0x3f000000L, 0x40800000L);
        add("ex2.approx.f32", "b32", 0x41000000L, THREE);
        add("ex2.approx.ftz.f32", "b32", 0, 0xc3000000L);
        add("lg2.approx.f32", "b32", THREE, 0x41000000L);
        add("sin.approx.f32", "b32", 0, 0);
        add("cos.approx.f32", "b32", ONE, 0);
        add("tanh.approx.f32", "b32", ONE, 0x42000000L);
        add("min.f32", "b32", ONE, ONE, NAN);
        add("max.f32", "b32", ONE, NAN, ONE);
        add("min.NaN.f32", "b32", NAN, ONE, NAN);
        add("min.f32", "b32", 1L << 31, 0, 1L << 31);
        add("max.f32", "b32", 0, 1L << 31, 0);
        add("neg.f32", "b32", MINUS_ONE, ONE);
        add("abs.f32", "b32", ONE, MINUS_ONE);
        add("copysign.f32", "b32", MINUS_ONE, MINUS_ONE, ONE);
        return tests;
    }

    @TestFactory
    List<DynamicTest> doublePrecision() {
        long one = Double.doubleToRawLongBits(1);
        long third = Double.doubleToRawLongBits(1.0 / 3);
        long tiny = Double.doubleToRawLongBits(0x1p-60);
        long three = Double.doubleToRawLongBits(3);
        add("add.f64", "b64", one, one, tiny);
        add("add.rp.f64", "b64", one + 1, one, tiny);
        add("sub.rz.f64", "b64", one - 1, one, tiny);
        add("mul.rm.f64", "b64", one + 2, one + 1, one + 1);
        add("mul.rp.f64", "b64", one + 3, one + 1, one + 1);
        add("fma.rn.f64", "b64", Double.doubleToRawLongBits(0x1p-104), one + 1, one + 1,
                Double.doubleToRawLongBits(-1 - 0x1p-51));
        add("div.rn.f64", "b64", third, one, three);
        add("rcp.rn.f64", "b64", third, three);
        add("sqrt.rn.f64", "b64", Double.doubleToRawLongBits(Math.sqrt(3)), three);
        add("rsqrt.approx.f64", "b64", Double.doubleToRawLongBits(0.5), Double.doubleToRawLongBits(4));
        add("min.f64", "b64", one, one, Double.doubleToRawLongBits(Double.NaN));
        add("max.f64", "b64", three, three, one);
        add("neg.f64", "b64", Double.doubleToRawLongBits(-1), one);
        add("abs.f64", "b64", one, Double.doubleToRawLongBits(-1));
        add("copysign.f64", "b64", Double.doubleToRawLongBits(-3), Double.doubleToRawLongBits(-1), three);
        return tests;
    }

    @TestFactory
    List<DynamicTest> halfPrecision() {
        // f16: 1 is 3c00, 2 is 4000, 3 is 4200, -1 is bc00, 65504 is 7bff, NaN is 7fff.
        add("add.f16", "b16", 0x4200, 0x3c00, 0x4000);
        add("add.rn.f16", "b16", 0x7c00, 0x7bff, 0x7bff);
        add("add.sat.f16", "b16", 0x3c00, 0x3c00, 0x4000);
        add("sub.f16", "b16", 0xbc00, 0x3c00, 0x4000);
        add("mul.f16", "b16", 0x4600, 0x4000, 0x4200);
        add("mul.ftz.f16", "b16", 0, 0x0001, 0x3c00);
        add("fma.rn.f16", "b16", 0x4700, 0x4000, 0x4200, 0x3c00);
        add("fma.rn.relu.f16", "b16", 0, 0xc000, 0x4200, 0x3c00);
        add("min.f16", "b16", 0x3c00, 0x3c00, 0x7fff);
        add("max.NaN.f16", "b16", 0x7fff, 0x3c00, 0x7fff);
        add("neg.f16", "b16", 0xbc00, 0x3c00);
        add("abs.f16", "b16", 0x3c00, 0xbc00);
        add("ex2.approx.f16", "b16", 0x4000, 0x3c00);
        add("tanh.approx.f16", "b16", 0, 0);
        add("add.f16x2", "b32", 0x4200bc00L, 0x3c003c00L, 0x4000c000L);
        add("sub.f16x2", "b32", 0xbc004200L, 0x3c003c00L, 0x4000c000L);
        add("mul.f16x2", "b32", 0x4000c000L, 0x3c003c00L, 0x4000c000L);
        add("fma.rn.f16x2", "b32", 0x4200bc00L, 0x3c003c00L, 0x4000c000L, 0x3c003c00L);
        add("min.f16x2", "b32", 0x3c00c000L, 0x3c003c00L, 0x4000c000L);
        add("max.f16x2", "b32", 0x40003c00L, 0x3c003c00L, 0x4000c000L);
        add("neg.f16x2", "b32", 0xbc003c00L, 0x3c00bc00L);
        add("abs.f16x2", "b32", 0x3c003c00L, 0x3c00bc00L);
        add("ex2.approx.f16x2", "b32", 0x40003c00L, 0x3c000000L);
        // bf16: 1 is 3f80, 2 is 4000, 3 is 4040, -1 is bf80.
        add("fma.rn.bf16", "b16", 0x4040, 0x3f80, 0x4000, 0x3f80);
        add("min.bf16", "b16", 0x3f80, 0x3f80, 0x7fff);
        add("max.bf16", "b16", 0x4000, 0x3f80, 0x4000);
        add("neg.bf16", "b16", 0xbf80, 0x3f80);
        add("abs.bf16", "b16", 0x3f80, 0xbf80);
        add("fma.rn.bf16x2", "b32", 0x4040bf80L, 0x3f803f80L, 0x4000c000L, 0x3f803f80L);
        add("fma.rn.relu.bf16x2", "b32", 0x40400000L, 0x3f803f80L, 0x4000c000L, 0x3f803f80L);
        add("max.NaN.bf16x2", "b32", 0x40007fffL, 0x3f803f80L, 0x40007fffL);
        add("neg.bf16x2", "b32", 0xbf803f80L, 0x3f80bf80L);
        add("ex2.approx.ftz.bf16", "b16", 0x4000, 0x3f80);
        return tests;
    }

    @TestFactory
    List<DynamicTest> conversions() {
        // Registers as wide as the types.
        add("cvt.rn.f32.s32", "b32", "b32", MINUS_ONE, 0xffffffffL);
        add("cvt.rn.f32.u32", "b32", "b32", 0x4f800000L, 0xffffffffL);
        add("cvt.rz.f32.u32", "b32", "b32", 0x4f7fffffL, 0xffffffffL);
        add("cvt.rp.f32.s64", "b32", "b64", 0x5f000000L, Long.MAX_VALUE);
        add("cvt.rn.f64.s32", "b64", "b32", Double.doubleToRawLongBits(-1), 0xffffffffL);
        add("cvt.rn.f64.u64", "b64", "b64", Double.doubleToRawLongBits(0x1p64), -1);
        add("cvt.rzi.s32.f32", "b32", "b32", 0xfffffffeL, 0xc039999aL);
        add("cvt.rni.s32.f32", "b32", "b32", 2, 0x40200000L);
        add("cvt.rmi.s32.f32", "b32", "b32", 0xfffffffdL, 0xc039999aL);
        add("cvt.rpi.s32.f32", "b32", "b32", 3, 0x40200000L);
        add("cvt.rzi.u32.f32", "b32", "b32", 0, MINUS_ONE);
        add("cvt.rzi.s32.f32", "b32", "b32", 0x7fffffffL, 0x7f000000L);
        add("cvt.rzi.s32.f32", "b32", "b32", 0, NAN);
        add("cvt.rzi.s64.f64", "b64", "b64", -2, Double.doubleToRawLongBits(-2.9));
        add("cvt.rzi.ftz.s32.f32", "b32", "b32", 0, SUBNORMAL);
        add("cvt.rni.f32.f32", "b32", "b32", TWO, 0x40200000L);
        add("cvt.rpi.f64.f64", "b64", "b64", Double.doubleToRawLongBits(3), Double.doubleToRawLongBits(2.5));
        add("cvt.f64.f32", "b64", "b32", Double.doubleToRawLongBits(1), ONE);
        add("cvt.rn.f32.f64", "b32", "b64", THIRD, Double.doubleToRawLongBits(1.0 / 3));
        add("cvt.rz.f32.f64", "b32", "b64", THIRD_DOWN, Double.doubleToRawLongBits(1.0 / 3));
        add("cvt.sat.f32.f32", "b32", "b32", ONE, THREE);
        add("cvt.f32.f16", "b32", "b16", ONE, 0x3c00);
        add("cvt.f32.f16", "b32", "b16", NAN, 0x7e00);
        add("cvt.rn.f16.f32", "b16", "b32", 0x3555, THIRD);
        add("cvt.rp.f16.f32", "b16", "b32", 0x3556, THIRD);
        add("cvt.rn.f16.f32", "b16", "b32", 0x7c00, 0x47800000L);
        add("cvt.rz.f16.f32", "b16", "b32", 0x7bff, 0x47800000L);
        add("cvt.rn.bf16.f32", "b16", "b32", 0x3eab, THIRD);
        add("cvt.rz.bf16.f32", "b16", "b32", 0x3eaa, THIRD);
        add("cvt.rn.relu.bf16.f32", "b16", "b32", 0, MINUS_ONE);
        add("cvt.f32.bf16", "b32", "b16", 0x3eab0000L, 0x3eab);
        add("cvt.rn.f16x2.f32", "b32", "b32", 0x3c004000L, ONE, TWO);
        add("cvt.rn.bf16x2.f32", "b32", "b32", 0x3f804000L, ONE, TWO);
        add("cvt.rna.tf32.f32", "b32", "b32", 0x3eaaa000L, THIRD);
        add("cvt.rn.f16.s32", "b16", "b32", 0xbc00, 0xffffffffL);
        add("cvt.rzi.s16.f16", "b16", "b16", 0xfffe, 0xc1cc);
        add("cvt.rni.f16.f16", "b16", "b16", 0x4000, 0x4100);
        add("cvt.sat.s8.s32", "b32", "b32", 0xffffff80L, 0xfffffe00L);
        add("cvt.sat.u8.s32", "b32", "b32", 0, 0xfffffe00L);
        // Registers wider than the types.
        add("cvt.u32.u8", "b32", "b16", 0x80, 0xff80);
        add("cvt.s32.s8", "b32", "b16", 0xffffff80L, 0xff80);
        add("cvt.s16.s8", "b16", "b32", 0xff80, 0x1280);
        add("cvt.s32.s16", "b32", "b16", 0xffff8000L, 0x8000);
        add("cvt.u32.u16", "b32", "b16", 0x8000, 0x8000);
        add("cvt.u16.u32", "b16", "b32", 0x5678, 0x12345678);
        add("cvt.s64.s32", "b64", "b32", -2, 0xfffffffeL);
        add("cvt.u64.u32", "b64", "b32", 0xfffffffeL, 0xfffffffeL);
        add("cvt.u32.u64", "b32", "b64", 0x9abcdef0L, 0x123456789abcdef0L);
        add("cvt.s64.s8", "b64", "b64", -128, 0x1280);
        add("cvt.u16.u64", "b16", "b64", 0xdef0, 0x123456789abcdef0L);
        add("cvt.s8.s32", "b32", "b32", 0xffffff80L, 0x1280);
        return tests;
    }

    @TestFactory
    List<DynamicTest> comparisons() {
        add("setp.lt.s32", "pred", "b32", 1, 0xffffffffL, 0);
        add("setp.lt.u32", "pred", "b32", 0, 0xffffffffL, 0);
        add("setp.lo.u32", "pred", "b32", 1, 0, 0xffffffffL);
        add("setp.hs.u32", "pred", "b32", 1, 5, 5);
        add("setp.ge.s16", "pred", "b16", 0, 0x8000, 0);
        add("setp.ge.u16", "pred", "b16", 1, 0x8000, 0);
        add("setp.ne.b64", "pred", "b64", 1, 1L << 40, 0);
        add("setp.gt.s64", "pred", "b64", 0, Long.MIN_VALUE, 0);
        add("setp.gt.u64", "pred", "b64", 1, Long.MIN_VALUE, 0);
        add("setp.eq.f32", "pred", "b32", 1, 0, 1L << 31);
        add("setp.eq.ftz.f32", "pred", "b32", 1, SUBNORMAL, 0);
        for (String[] ordered : new String[][]{{"eq", "equ"}, {"ne", "neu"}, {"lt", "ltu"}, {"le", "leu"},
                {"gt", "gtu"},
                {"ge", "geu"}}) {
            add("setp." + ordered[0] + ".f32", "pred", "b32", 0, NAN, ONE);
            add("setp." + ordered[1] + ".f32", "pred", "b32", 1, NAN, ONE);
            add("setp." + ordered[0] + ".f64", "pred", "b64", 0, 0x7ff8000000000000L, 0);
            add("setp." + ordered[1] + ".f64", "pred", "b64", 1, 0x7ff8000000000000L, 0);
        }
        add("setp.num.f32", "pred", "b32", 1, ONE, ONE);
        add("setp.nan.f32", "pred", "b32", 1, ONE, NAN);
        add("setp.lt.f16", "pred", "b16", 1, 0xbc00, 0x3c00);
        add("setp.gtu.f16", "pred", "b16", 1, 0x7e00, 0x3c00);
        add("setp.gt.bf16", "pred", "b16", 1, 0x4000, 0x3f80);
        add("set.lt.u32.f32", "b32", "b32", 0xffffffffL, ONE, TWO);
        add("set.lt.f32.f32", "b32", "b32", ONE, ONE, TWO);
        add("set.lt.f32.s32", "b32", "b32", 0, 5, 2);
        add("set.eq.f16.f16", "b16", "b16", 0x3c00, 0x4000, 0x4000);
        add("set.gt.u32.f16x2", "b32", "b32", 0xffff0000L, 0x40003c00L, 0x3c003c00L);
        add("set.ge.f16x2.f16x2", "b32", "b32", 0x3c003c00L, 0x40003c00L, 0x3c003c00L);
        add("testp.finite.f32", "pred", "b32", 0, INFINITY);
        add("testp.infinite.f32", "pred", "b32", 1, INFINITY);
        add("testp.notanumber.f32", "pred", "b32", 1, NAN);
        add("testp.number.f32", "pred", "b32", 1, INFINITY);
        add("testp.subnormal.f32", "pred", "b32", 1, SUBNORMAL);
        add("testp.normal.f32", "pred", "b32", 0, SUBNORMAL);
        add("slct.b32.s32", "b32", "b32", 7, 7, 9, 0);
        add("slct.b32.s32", "b32", "b32", 9, 7, 9, 0xffffffffL);
        add("slct.f32.f32", "b32", "b32", 7, 7, 9, 1L << 31);
        add("slct.f32.f32", "b32", "b32", 9, 7, 9, NAN);
        return tests;
    }
}
