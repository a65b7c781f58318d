package io.mixt5.kernels.emulator;

import static io.mixt5.kernels.emulator.InstructionTable.kinds;

import io.mixt5.kernels.emulator.InstructionTable.Check;
import io.mixt5.kernels.emulator.InstructionTable.Kind;
import java.util.Map;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

/**
 * Floating-point instructions against Java's own arithmetic, which rounds to nearest even as they do, on many operands
 * each. Products and sums of two halves are exact in double precision, or close enough to it that rounding twice does
 * no harm.
 */
class FloatTableTest {
    private static final Map<String, Kind> KINDS = Map.of("f16", Kind.F16, "bf16", Kind.BF16, "f32", Kind.F32, "f64",
            Kind.F64);
    /** What an f64 that is NaN holds is left open. */
    private static final Check SAME_DOUBLE = (expected, actual) -> expected == actual
            || Double.isNaN(Double.longBitsToDouble(expected)) && Double.isNaN(Double.longBitsToDouble(actual));

    private final InstructionTable table = new InstructionTable();

    private interface Ternary {
        double of(double a, double b, double c);
    }

    private static double value(String type, long bits) {
        return switch (type) {
            case "f16" -> Float.float16ToFloat((short) bits);
            case "bf16" -> Float.intBitsToFloat((int) bits << 16);
            case "f32" -> Float.intBitsToFloat((int) bits);
            default -> Double.longBitsToDouble(bits);
        };
    }

    private static long bits(String type, double value) {
        if (type.equals("f64")) {
            return Double.doubleToRawLongBits(value);
        }
        if (Double.isNaN(value)) {
            return type.equals("f32") ? 0x7fffffff : 0x7fff;
        }
        if (type.equals("f32")) {
            return Float.floatToRawIntBits((float) value) & 0xffffffffL;
        }
        return type.equals("f16") ? Float.floatToFloat16((float) value) & 0xffff : bfloat(value);
    }

    /** Of the two neighbours the nearer, of equally near ones the even one; beyond the largest, infinity. */
    private static long bfloat(double value) {
        float near = (float) value;
        int below = Float.floatToRawIntBits(near) >>> 16;
        if (Math.abs((double) Float.intBitsToFloat(below << 16)) > Math.abs(value)) {
            below--;
        }
        double low = Math.abs((double) Float.intBitsToFloat(below << 16));
        double high = (below & 0x7fff) == 0x7f7f ? 0x1p128 : Math.abs((double) Float.intBitsToFloat(below + 1 << 16));
        double size = Math.abs(value);
        boolean up = size - low > high - size || size - low == high - size && (below & 1) != 0;
        return Double.isInfinite(value) ? below & 0xffff : (up ? below + 1 : below) & 0xffff;
    }

    private void unary(String opcode, String type, DoubleUnaryOperator function) {
        table.add(opcode + "." + type, KINDS.get(type), kinds(KINDS.get(type)),
                x -> bits(type, function.applyAsDouble(value(type, x[0]))), SAME_DOUBLE);
    }

    private void binary(String opcode, String type, DoubleBinaryOperator function) {
        Kind kind = KINDS.get(type);
        table.add(opcode + "." + type, kind, kinds(kind, kind),
                x -> bits(type, function.applyAsDouble(value(type, x[0]), value(type, x[1]))), SAME_DOUBLE);
    }

    private void ternary(String opcode, String type, Ternary function) {
        Kind kind = KINDS.get(type);
        table.add(opcode + "." + type, kind, kinds(kind, kind, kind),
                x -> bits(type, function.of(value(type, x[0]), value(type, x[1]), value(type, x[2]))), SAME_DOUBLE);
    }

    private static double min(double a, double b) {
        return Double.isNaN(a) ? b : Double.isNaN(b) ? a : Math.min(a, b);
    }

    private static double max(double a, double b) {
        return Double.isNaN(a) ? b : Double.isNaN(b) ? a : Math.max(a, b);
    }

    private static double fma(double a, double b, double c) {
        return Math.fma((float) a, (float) b, (float) c);
    }

    private static double flush(double value) {
        return Math.abs(value) < Float.MIN_NORMAL ? Math.copySign(0, value) : value;
    }

    private static double saturate(double value) {
        return value > 0 ? Math.min(value, 1) : 0;
    }

    @Test
    void singlePrecision() {
        binary("add", "f32", Double::sum);
        binary("add.rn", "f32", Double::sum);
        binary("sub", "f32", (a, b) -> a - b);
        binary("mul", "f32", (a, b) -> a * b);
        binary("div.rn", "f32", (a, b) -> (float) a / (float) b);
        binary("min", "f32", FloatTableTest::min);
        binary("max", "f32", FloatTableTest::max);
        binary("min.NaN", "f32", Math::min);
        binary("max.NaN", "f32", Math::max);
        ternary("fma.rn", "f32", FloatTableTest::fma);
        unary("sqrt.rn", "f32", Math::sqrt);
        unary("rcp.rn", "f32", a -> 1 / (float) a);
        binary("add.ftz", "f32", (a, b) -> flush((float) (flush(a) + flush(b))));
        binary("mul.ftz", "f32", (a, b) -> flush((float) (flush(a) * flush(b))));
        ternary("fma.rn.ftz", "f32", (a, b, c) -> flush(fma(flush(a), flush(b), flush(c))));
        binary("add.sat", "f32", (a, b) -> saturate(a + b));
        ternary("fma.rn.sat", "f32", (a, b, c) -> saturate(fma(a, b, c)));
        // Beyond what rounding to nearest gives, by the sign of what it leaves.
        binary("add.rm", "f32", (a, b) -> downwards(a, b, false));
        binary("add.rp", "f32", (a, b) -> -downwards(-a, -b, false));
        binary("mul.rm", "f32", (a, b) -> downwards(a, b, true));
        binary("mul.rz", "f32", (a, b) -> Math.copySign(downwards(Math.abs(a), Math.abs(b), true),
                Double.isNaN(a * b) ? 1 : Math.signum(Math.copySign(1, a)) * Math.copySign(1, b)));
        table.add("neg.f32", Kind.F32, kinds(Kind.F32), x -> x[0] ^ 0x80000000L);
        table.add("abs.f32", Kind.F32, kinds(Kind.F32), x -> x[0] & 0x7fffffff);
        table.add("copysign.f32", Kind.F32, kinds(Kind.F32, Kind.F32), x -> x[1] & 0x7fffffff | x[0] & 0x80000000L);
        table.check();
    }

    /** Sum or product, rounded to the float below. */
    private static double downwards(double a, double b, boolean product) {
        double nearest = product ? a * b : a + b;
        float rounded = (float) nearest;
        if (Double.isNaN(nearest) || Double.isInfinite(a) || Double.isInfinite(b)) {
            return nearest;
        }
        if (nearest == 0 && !product) {
            return a == 0 && 1 / a == 1 / b && a == b ? a : -0.0;
        }
        // A product of floats is an exact double; what a sum leaves is exact, too.
        double left = product ? 0 : a - (nearest - (nearest - a)) + (b - (nearest - a));
        return rounded > nearest || rounded == nearest && left < 0 ? Math.nextDown(rounded) : rounded;
    }

    @Test
    void doublePrecision() {
        binary("add", "f64", Double::sum);
        binary("sub", "f64", (a, b) -> a - b);
        binary("mul", "f64", (a, b) -> a * b);
        binary("div.rn", "f64", (a, b) -> a / b);
        binary("min", "f64", FloatTableTest::min);
        binary("max", "f64", FloatTableTest::max);
        ternary("fma.rn", "f64", Math::fma);
        unary("sqrt.rn", "f64", Math::sqrt);
        unary("rcp.rn", "f64", a -> 1 / a);
        unary("neg", "f64", a -> -a);
        unary("abs", "f64", Math::abs);
        table.check();
    }

    @Test
    void halfPrecision() {
        for (String type : new String[]{"f16", "bf16"}) {
            Kind kind = KINDS.get(type);
            binary("add", type, (a, b) -> a + b);
            binary("sub", type, (a, b) -> a - b);
            binary("mul", type, (a, b) -> a * b);
            ternary("fma.rn", type, (a, b, c) -> a * b + c);
            binary("min", type, FloatTableTest::min);
            binary("max", type, FloatTableTest::max);
            binary("max.NaN", type, Math::max);
            table.add("neg." + type, kind, kinds(kind), x -> x[0] ^ 0x8000);
            table.add("abs." + type, kind, kinds(kind), x -> x[0] & 0x7fff);
            pair("add", type, (a, b) -> a + b);
            pair("sub", type, (a, b) -> a - b);
            pair("mul", type, (a, b) -> a * b);
            pair("max", type, FloatTableTest::max);
            pair("min", type, FloatTableTest::min);
            table.addText("{ .reg .b32 %x, %y; mov.b32 %x, {%a, %b}; mov.b32 %y, {%c, %a}; fma.rn." + type
                    + "x2 %d, %x, %y, %x; }",
                    Kind.B32, kinds(kind, kind, kind), x -> {
                        double a = value(type, x[0]);
                        double b = value(type, x[1]);
                        return bits(type, b * a + b) << 16 | bits(type, a * value(type, x[2]) + a);
                    });
        }
        table.check();
    }

    private void pair(String opcode, String type, DoubleBinaryOperator function) {
        Kind kind = KINDS.get(type);
        table.addText("{ .reg .b32 %x, %y; mov.b32 %x, {%a, %b}; mov.b32 %y, {%c, %a}; " + opcode + "." + type
                + "x2 %d, %x, %y; }",
                Kind.B32, kinds(kind, kind, kind), x -> {
                    double a = value(type, x[0]);
                    return bits(type, function.applyAsDouble(value(type, x[1]), a)) << 16
                            | bits(type, function.applyAsDouble(a, value(type, x[2])));
                });
    }

    private void approximate(String opcode, DoubleUnaryOperator function, double most) {
        table.add(opcode + ".f32", Kind.F32, kinds(Kind.F32),
                x -> bits("f32", function.applyAsDouble(value("f32", x[0]))),
                (expected, actual) -> {
                    double wanted = value("f32", expected);
                    double got = value("f32", actual);
                    return Double.compare(wanted, got) == 0
                            || Math.abs(wanted - got) <= Math.max(most * Math.abs(wanted), Float.MIN_VALUE);
                });
    }

    @Test
    void approximations() {
        double accuracy = 0x1p-22;
        approximate("ex2.approx", a -> Math.pow(2, a), accuracy);
        approximate("ex2.approx.ftz", a -> flush(Math.pow(2, flush(a))), accuracy);
        approximate("lg2.approx", a -> Math.log(a) / Math.log(2), accuracy);
        approximate("sin.approx", Math::sin, accuracy);
        approximate("cos.approx", Math::cos, accuracy);
        approximate("tanh.approx", Math::tanh, accuracy);
        approximate("rcp.approx", a -> 1 / a, accuracy);
        approximate("rcp.approx.ftz", a -> flush(1 / flush(a)), accuracy);
        approximate("rsqrt.approx", a -> 1 / Math.sqrt(a), accuracy);
        approximate("sqrt.approx", Math::sqrt, accuracy);
        table.check();
    }

    @Test
    void comparisons() {
        KINDS.forEach((type, kind) -> {
            for (String sign : new String[]{"eq", "ne", "lt", "le", "gt", "ge"}) {
                table.add("setp." + sign + "." + type, Kind.PRED, kinds(kind, kind),
                        x -> holds(sign, value(type, x[0]), value(type, x[1])) ? 1 : 0);
                table.add("setp." + sign + "u." + type, Kind.PRED, kinds(kind, kind), x -> {
                    double a = value(type, x[0]);
                    double b = value(type, x[1]);
                    return Double.isNaN(a + b) && (Double.isNaN(a) || Double.isNaN(b)) || holds(sign, a, b) ? 1 : 0;
                });
            }
            table.add("setp.nan." + type, Kind.PRED, kinds(kind, kind),
                    x -> Double.isNaN(value(type, x[0])) || Double.isNaN(value(type, x[1])) ? 1 : 0);
            table.add("setp.num." + type, Kind.PRED, kinds(kind, kind),
                    x -> Double.isNaN(value(type, x[0])) || Double.isNaN(value(type, x[1])) ? 0 : 1);
        });
        table.add("testp.finite.f32", Kind.PRED, kinds(Kind.F32),
                x -> Float.isFinite((float) value("f32", x[0])) ? 1 : 0);
        table.add("testp.infinite.f32", Kind.PRED, kinds(Kind.F32),
                x -> Float.isInfinite((float) value("f32", x[0])) ? 1 : 0);
        table.add("testp.notanumber.f32", Kind.PRED, kinds(Kind.F32), x -> Double.isNaN(value("f32", x[0])) ? 1 : 0);
        table.add("set.gt.f32.f32", Kind.F32, kinds(Kind.F32, Kind.F32),
                x -> value("f32", x[0]) > value("f32", x[1]) ? 0x3f800000 : 0);
        table.add("selp.f32", Kind.F32, kinds(Kind.F32, Kind.F32, Kind.PRED), x -> x[2] != 0 ? x[0] : x[1]);
        table.check();
    }

    /** The ordered comparisons, which are false of NaN. */
    private static boolean holds(String sign, double a, double b) {
        return switch (sign) {
            case "eq" -> a == b;
            case "ne" -> a < b || a > b;
            case "lt" -> a < b;
            case "le" -> a <= b;
            case "gt" -> a > b;
            default -> a >= b;
        };
    }

    @Test
    void conversions() {
        Kind[] single = kinds(Kind.F32);
        KINDS.forEach((from, kind) -> KINDS.forEach((to, target) -> {
            boolean narrows = !from.equals(to) && !from.equals("f16") && !to.equals("f64")
                    && !(from.equals("bf16") && to.equals("f32")) || to.equals("bf16") && from.equals("f16");
            if (!from.equals(to)) {
                table.add("cvt." + (narrows ? "rn." : "") + to + "." + from, target, kinds(kind),
                        x -> from.equals("f64") && !to.equals("f32")
                                ? once(to, value(from, x[0]))
                                : bits(to, value(from, x[0])),
                        SAME_DOUBLE);
            }
        }));
        table.add("cvt.rzi.s32.f32", Kind.B32, single, x -> (int) value("f32", x[0]));
        table.add("cvt.rzi.s64.f32", Kind.B64, single,
                x -> Double.isNaN(value("f32", x[0])) ? Long.MIN_VALUE : (long) value("f32", x[0]));
        table.add("cvt.rni.s32.f32", Kind.B32, single, x -> (int) Math.rint(value("f32", x[0])));
        table.add("cvt.rmi.s32.f32", Kind.B32, single, x -> (int) Math.floor(value("f32", x[0])));
        table.add("cvt.rpi.u32.f32", Kind.B32, single,
                x -> (long) Math.min(0xffffffffL, Math.max(0, Math.ceil(value("f32", x[0])))));
        table.add("cvt.rzi.u16.f32", Kind.B16, single, x -> Math.min(0xffff, Math.max(0, (long) value("f32", x[0]))));
        table.add("cvt.rmi.f32.f32", Kind.F32, single, x -> bits("f32", Math.floor(value("f32", x[0]))));
        table.add("cvt.rni.f32.f32", Kind.F32, single, x -> bits("f32", Math.rint(value("f32", x[0]))));
        table.add("cvt.sat.f32.f32", Kind.F32, single, x -> bits("f32", saturate(value("f32", x[0]))));
        table.add("cvt.rn.f32.s32", Kind.F32, kinds(Kind.B32), x -> Float.floatToRawIntBits((int) x[0]));
        table.add("cvt.rn.f32.u32", Kind.F32, kinds(Kind.B32), x -> Float.floatToRawIntBits(x[0]));
        table.add("cvt.rn.f32.s64", Kind.F32, kinds(Kind.B64), x -> Float.floatToRawIntBits(x[0]));
        table.add("cvt.rn.f64.s64", Kind.F64, kinds(Kind.B64), x -> Double.doubleToRawLongBits(x[0]));
        table.add("cvt.rn.f16.s32", Kind.F16, kinds(Kind.B32), x -> bits("f16", (int) x[0]));
        table.add("cvt.u32.u16", Kind.B32, kinds(Kind.B16), x -> x[0]);
        table.add("cvt.s32.s16", Kind.B32, kinds(Kind.B16), x -> (short) x[0]);
        table.add("cvt.s64.s32", Kind.B64, kinds(Kind.B32), x -> (int) x[0]);
        table.add("cvt.u64.u32", Kind.B64, kinds(Kind.B32), x -> x[0]);
        table.add("cvt.u32.u64", Kind.B32, kinds(Kind.B64), x -> x[0]);
        table.add("cvt.s32.s8", Kind.B32, kinds(Kind.B32), x -> (byte) x[0]);
        table.add("cvt.u32.u8", Kind.B32, kinds(Kind.B32), x -> x[0] & 0xff);
        table.add("cvt.u16.u8", Kind.B16, kinds(Kind.B16), x -> x[0] & 0xff);
        table.add("cvt.sat.s8.s32", Kind.B32, kinds(Kind.B32), x -> Math.max(-128, Math.min(127, (int) x[0])));
        table.add("cvt.rn.f16x2.f32", Kind.B32, kinds(Kind.F32, Kind.F32),
                x -> bits("f16", value("f32", x[0])) << 16 | bits("f16", value("f32", x[1])));
        table.add("cvt.rn.bf16x2.f32", Kind.B32, kinds(Kind.F32, Kind.F32),
                x -> bits("bf16", value("f32", x[0])) << 16 | bits("bf16", value("f32", x[1])));
        table.check();
    }

    /** A double to 16 bits: by way of the float that lies towards zero, with its last bit set where that is inexact. */
    private static long once(String type, double value) {
        float near = (float) value;
        if (near == value || Double.isNaN(value) || Math.abs(value) < Float.MIN_VALUE) {
            return bits(type, value);
        }
        int cut = Float.floatToRawIntBits(near);
        cut = Math.abs((double) near) > Math.abs(value) ? cut - 1 : cut;
        return bits(type, Float.intBitsToFloat(cut | 1));
    }
}
