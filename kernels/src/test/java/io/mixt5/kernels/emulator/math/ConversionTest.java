package io.mixt5.kernels.emulator.math;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ConversionTest {
    private static final Map<String, Exact.Reference> FORMATS = Map.of("f16", Exact.Reference.F16, "bf16",
            Exact.Reference.BF16, "f32", Exact.Reference.F32, "f64", Exact.Reference.F64);
    private static final List<String> INTEGERS = List.of("u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64");
    private static final Map<String, Rounding> MODES = Map.of("rn", Rounding.NEAREST, "rz", Rounding.ZERO, "rm",
            Rounding.DOWN, "rp", Rounding.UP);
    private static final Map<String, RoundingMode> TO_INTEGER = Map.of("rni", RoundingMode.HALF_EVEN, "rzi",
            RoundingMode.DOWN, "rmi", RoundingMode.FLOOR, "rpi", RoundingMode.CEILING);

    private final Random random = new Random(4);

    private static long convert(String opcode, long bits) {
        return Conversion.of(opcode).apply(bits);
    }

    private static long bits(float value) {
        return Float.floatToRawIntBits(value) & 0xffffffffL;
    }

    /** Any number of the format, often one with few bits or one near the limits of another format. */
    private long next(Exact.Reference format) {
        double[] limits = {0.5, 1.5, 2.5, 127.5, 255.5, 32767.5, 65519, 65520, 65535.5, 0x1p31 - 0.5, 0x1p32 - 0.5,
                0x1p63,
                0x1p64, 0x1.ffffffp127, 0x1.fefffffp127, 0x1p-25, 0x1p-24, 0x1.8p-134, 0x1p-149, 0x1p-150};
        double value = limits[random.nextInt(limits.length)] * (1 + random.nextInt(-2, 3) * 0x1p-30)
                * (random.nextBoolean() ? 1 : -1);
        return switch (random.nextInt(3)) {
            case 0 -> format.width() == 64 ? Double.doubleToRawLongBits(value) : narrow(format, value);
            case 1 -> format.width() == 64
                    ? Double.doubleToRawLongBits(random.nextGaussian(0, 1e5))
                    : narrow(format, random.nextGaussian(0, 1e5));
            default -> format.width() == 64 ? random.nextLong() : random.nextLong() & (1L << format.width()) - 1;
        };
    }

    private static long narrow(Exact.Reference format, double value) {
        if (format.width() == 32) {
            return bits((float) value);
        }
        return format == Exact.Reference.F16
                ? Float.floatToFloat16((float) value) & 0xffff
                : bits((float) value) >>> 16;
    }

    @Test
    void floatsAreRoundedAsTold() {
        FORMATS.forEach((from, source) -> FORMATS.forEach((to, target) -> MODES.forEach((mode, rounding) -> {
            Conversion conversion = Conversion.of("cvt." + mode + "." + to + "." + from);
            for (int i = 0; i < 4000; i++) {
                long bits = next(source);
                double value = source.meaning().applyAsDouble(bits);
                long result = conversion.apply(bits);
                if (Double.isFinite(value)) {
                    Exact.check(target, rounding, new BigDecimal(value), () -> value, result, from + " " + value);
                } else {
                    assertEquals(value, target.meaning().applyAsDouble(result));
                }
            }
        })));
    }

    @Test
    void everyHalfSurvivesTheWayToAFloatAndBack() {
        for (String half : List.of("f16", "bf16")) {
            Conversion widen = Conversion.of("cvt.f32." + half);
            Conversion narrow = Conversion.of("cvt.rn." + half + ".f32");
            for (int bits = 0; bits < 1 << 16; bits++) {
                double value = FORMATS.get(half).meaning().applyAsDouble(bits);
                long wide = widen.apply(bits);
                assertEquals(value, Float.intBitsToFloat((int) wide));
                assertEquals(Double.isNaN(value) ? 0x7fff : bits, narrow.apply(wide));
            }
        }
    }

    private static BigInteger smallest(String type) {
        return type.startsWith("u") ? BigInteger.ZERO : BigInteger.TWO.pow(width(type) - 1).negate();
    }

    private static BigInteger largest(String type) {
        return BigInteger.TWO.pow(type.startsWith("u") ? width(type) : width(type) - 1).subtract(BigInteger.ONE);
    }

    private static int width(String type) {
        return Integer.parseInt(type.substring(1));
    }

    private static BigInteger integer(String type, long bits) {
        BigInteger all = BigInteger.valueOf(bits).mod(BigInteger.TWO.pow(width(type)));
        return all.compareTo(largest(type)) > 0 ? all.subtract(BigInteger.TWO.pow(width(type))) : all;
    }

    private static BigInteger clamp(String type, BigInteger value) {
        return value.max(smallest(type)).min(largest(type));
    }

    @Test
    void floatsBecomeIntegersAndAreClamped() {
        FORMATS.forEach((from, source) -> INTEGERS.forEach(to -> TO_INTEGER.forEach((mode, rounding) -> {
            Conversion conversion = Conversion.of("cvt." + mode + "." + to + "." + from);
            for (int i = 0; i < 1500; i++) {
                long bits = next(source);
                double value = source.meaning().applyAsDouble(bits);
                BigInteger expected;
                if (Double.isNaN(value)) {
                    boolean wide = from.equals("f64") || width(to) == 64;
                    expected = wide ? integer(to, 1L << width(to) - 1) : BigInteger.ZERO;
                } else if (Double.isInfinite(value)) {
                    expected = value > 0 ? largest(to) : smallest(to);
                } else {
                    expected = clamp(to, new BigDecimal(value).setScale(0, rounding).toBigInteger());
                }
                assertEquals(expected.longValue(), conversion.apply(bits), () -> conversion + " of " + value);
            }
        })));
    }

    @Test
    void floatsBecomeIntegralFloats() {
        FORMATS.forEach((type, format) -> TO_INTEGER.forEach((mode, rounding) -> {
            Conversion conversion = Conversion.of("cvt." + mode + "." + type + "." + type);
            for (int i = 0; i < 4000; i++) {
                long bits = next(format);
                double value = format.meaning().applyAsDouble(bits);
                double expected = value;
                if (Double.isFinite(value)) {
                    expected = Math.copySign(new BigDecimal(value).setScale(0, rounding).doubleValue(), value);
                }
                assertEquals(expected, format.meaning().applyAsDouble(conversion.apply(bits)));
            }
        }));
    }

    @Test
    void integersBecomeFloats() {
        INTEGERS.forEach(from -> FORMATS.forEach((to, target) -> MODES.forEach((mode, rounding) -> {
            Conversion conversion = Conversion.of("cvt." + mode + "." + to + "." + from);
            for (int i = 0; i < 1500; i++) {
                long bits = random.nextLong() >> random.nextInt(64);
                if (i < 8) {
                    bits = (i & 1) - (1L << 63) * (i >> 1 & 1) - (i >> 2);
                }
                BigDecimal exact = new BigDecimal(integer(from, bits));
                Exact.check(target, rounding, exact, () -> 0, conversion.apply(bits), from + " " + exact);
            }
        })));
    }

    @Test
    void integersAreCutOrClamped() {
        INTEGERS.forEach(from -> INTEGERS.forEach(to -> {
            Conversion cut = Conversion.of("cvt." + to + "." + from);
            Conversion clamped = Conversion.of("cvt.sat." + to + "." + from);
            for (int i = 0; i < 2000; i++) {
                long bits = random.nextLong() >> random.nextInt(64);
                BigInteger value = integer(from, bits);
                assertEquals(integer(to, value.longValue()).longValue(), cut.apply(bits));
                assertEquals(clamp(to, value).longValue(), clamped.apply(bits), () -> clamped + " of " + value);
            }
        }));
    }

    @Test
    void subnormalsAreFlushed() {
        assertEquals(0x80000000L, convert("cvt.ftz.f32.f32", 0x80000001L));
        assertEquals(0x80000001L, convert("cvt.f32.f32", 0x80000001L));
        assertEquals(0, convert("cvt.rpi.ftz.s32.f32", 1));
        assertEquals(1, convert("cvt.rpi.s32.f32", 1));
        assertEquals(0, convert("cvt.rn.ftz.f32.f64", Double.doubleToRawLongBits(0x1p-140)));
        // It is for f32 only.
        assertEquals(bits(0x1p-24f), convert("cvt.ftz.f32.f16", 1));
    }

    @Test
    void modifiersOfFloats() {
        assertEquals(bits(1), convert("cvt.sat.f32.f32", bits(3)));
        assertEquals(0, convert("cvt.sat.f32.f32", bits(Float.NaN)));
        assertEquals(0x3c00, convert("cvt.rn.sat.f16.f32", bits(1.5f)));
        assertEquals(0, convert("cvt.rn.relu.f16.f32", bits(-2)));
        assertEquals(0x4000, convert("cvt.rn.relu.f16x2.f32", bits(2)));
        assertEquals(0x7bff, convert("cvt.rn.satfinite.f16.f32", bits(1e9f)));
        assertEquals(0xff7f, convert("cvt.rn.satfinite.bf16.f32", bits(Float.NEGATIVE_INFINITY)));
        // 1 + 2^-11 is a tie of tf32.
        assertEquals(bits(1 + 0x1p-10f), convert("cvt.rna.tf32.f32", bits(1 + 0x1p-11f)));
        assertEquals(bits(1), convert("cvt.rn.tf32.f32", bits(1 + 0x1p-11f)));
        assertEquals(bits(-0x1p-130f), convert("cvt.rna.tf32.f32", bits(-0x1p-130f)));
    }

    @Test
    void whatIsUnknownIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> Conversion.of("cvt.rn.e4m3.f32"));
        assertThrows(IllegalArgumentException.class, () -> Conversion.of("cvt.rx.f16.f32"));
        assertThrows(IllegalArgumentException.class, () -> Conversion.of("add.f32.f32"));
        assertThrows(IllegalArgumentException.class, () -> Conversion.of("cvt.f32"));
    }
}
