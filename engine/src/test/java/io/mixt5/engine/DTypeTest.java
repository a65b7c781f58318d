package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class DTypeTest {
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment place = arena.allocate(8, 8);

    @AfterEach
    void close() {
        arena.close();
    }

    private double stored(DType dtype, double value) {
        dtype.store(place.address(), value);
        return dtype.load(place.address());
    }

    private int bits(DType dtype, double value) {
        dtype.store(place.address(), value);
        return Memory.getShort(place.address()) & 0xffff;
    }

    @Test
    void sizesAndAccumulators() {
        assertEquals(8, DType.F64.bytes());
        assertEquals(4, DType.F32.bytes());
        assertEquals(2, DType.F16.bytes());
        assertEquals(2, DType.BF16.bytes());
        assertEquals(4, DType.I32.bytes());
        assertFalse(DType.I32.isFloat());
        assertTrue(DType.BF16.isFloat());
        assertEquals(DType.F64, DType.F64.accumulator());
        assertEquals(DType.F32, DType.F16.accumulator());
    }

    @ParameterizedTest
    @EnumSource
    void smallIntegersAreExact(DType dtype) {
        for (int value = -256; value <= 256; value++) {
            assertEquals(value, stored(dtype, value));
        }
    }

    @ParameterizedTest
    @EnumSource
    void storesNothingBesideTheElement(DType dtype) {
        Memory.fill(place.address(), 8, (byte) 0x5a);
        dtype.store(place.address(), -1);
        for (int i = dtype.bytes(); i < 8; i++) {
            assertEquals(0x5a, place.get(ValueLayout.JAVA_BYTE, i));
        }
    }

    @Test
    void wideTypesKeepWhatTheyCan() {
        assertEquals(Math.PI, stored(DType.F64, Math.PI));
        assertEquals((float) Math.PI, stored(DType.F32, Math.PI));
        assertEquals(Integer.MIN_VALUE, stored(DType.I32, Integer.MIN_VALUE));
        assertEquals(-2, stored(DType.I32, -2.9), "integers are truncated");
    }

    /** Ties go to the even neighbour; what passes the largest number by half a step is infinite (IEEE 754, 4.3.1). */
    @ParameterizedTest
    @CsvSource({
            "0x1p0,          3c00",
            "-0x1p1,         c000",
            "0x1.004p0,      3c01", // the next number after 1
            "0x1.002p0,      3c00", // a tie falls to the even 1
            "0x1.006p0,      3c02", // a tie rises to the even neighbour
            "0x1.00201p0,    3c01", // a little more than a tie
            "65504,          7bff", // the largest number
            "65519.99,       7bff",
            "65520,          7c00", // a tie with what would be 2^16
            "-65520,         fc00",
            "0x1p-14,        0400", // the smallest normal number
            "0x1p-24,        0001", // the smallest subnormal number
            "0x1.8p-24,      0002", // a tie among subnormals
            "0x1p-25,        0000", // a tie with zero
            "0x1.004p-25,    0001",
            "-0x1p-25,       8000",
            "0x1.ffp-15,     03fe", // a subnormal number
            "0x1.ff8p-15,    03ff", // the largest subnormal number
            "0x1.ffcp-15,    0400", // a tie with the smallest normal number
            "-0.0,           8000",
            "Infinity,       7c00",
            "-Infinity,      fc00"})
    void f16RoundsToNearestEven(double value, String expected) {
        assertEquals(Integer.parseInt(expected, 16), bits(DType.F16, value));
    }

    /** As above with 8 bits of precision and F32's exponents. */
    @ParameterizedTest
    @CsvSource({
            "0x1p0,             3f80",
            "-0x1p1,            c000",
            "0x1.02p0,          3f81", // the next number after 1
            "0x1.01p0,          3f80", // a tie falls to the even 1
            "0x1.03p0,          3f82", // a tie rises to the even neighbour
            "0x1.010002p0,      3f81",
            "-0x1.03p0,         bf82",
            "0x1.fep127,        7f7f", // the largest number
            "0x1.fefffep127,    7f7f",
            "0x1.ffp127,        7f80", // a tie with what would be 2^128
            "-0x1.ffp127,       ff80",
            "0x1p-126,          0080", // the smallest normal number
            "0x1p-133,          0001", // the smallest subnormal number
            "0x1p-134,          0000", // a tie with zero
            "0x1.8p-133,        0002",
            "0x1.0002p-134,     0001",
            "-0x1p-149,         8000",
            "-0.0,              8000",
            "Infinity,          7f80",
            "-Infinity,         ff80"})
    void bf16RoundsToNearestEven(double value, String expected) {
        assertEquals(Integer.parseInt(expected, 16), bits(DType.BF16, value));
    }

    @ParameterizedTest
    @EnumSource(names = "I32", mode = EnumSource.Mode.EXCLUDE)
    void nanStaysNan(DType dtype) {
        assertTrue(Double.isNaN(stored(dtype, Double.NaN)));
        assertTrue(Double.isNaN(stored(dtype, Float.intBitsToFloat(0xffffffff))), "a NaN with all bits");
    }

    @Test
    void nansWhoseUpperHalfIsInfinityStayNanInBf16() {
        for (int bits : new int[]{0x7f800001, 0xff800001, 0x7f80ffff}) {
            int half = DType.floatToBf16(Float.intBitsToFloat(bits));
            assertTrue(Float.isNaN(Float.intBitsToFloat(half << 16)), () -> Integer.toHexString(bits));
        }
    }

    /** Every number of a half type is read and written back as it was. */
    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void everyHalfNumberIsItself(DType dtype) {
        for (int bits = 0; bits < 1 << 16; bits++) {
            Memory.setShort(place.address(), (short) bits);
            double value = dtype.load(place.address());
            if (!Double.isNaN(value)) {
                assertEquals(bits, bits(dtype, value));
            }
        }
    }

    /** The bfloat16 next to a float is that of its two neighbours with the smaller distance, or the even one. */
    @Test
    void bf16IsTheNearest() {
        for (long i = 0; i < 20_000; i++) {
            float value = Float.intBitsToFloat(Philox.bits(3, 0, 0, i));
            if (!Float.isFinite(value)) {
                continue;
            }
            int below = Float.floatToRawIntBits(value) >>> 16;
            double low = Float.intBitsToFloat(below << 16);
            double high = (below & 0x7fff) == 0x7f7f
                    ? Math.copySign(0x1p128, value)
                    : Float.intBitsToFloat(below + 1 << 16);
            double toLow = Math.abs(value - low);
            double toHigh = Math.abs(value - high);
            int expected = toLow < toHigh || toLow == toHigh && (below & 1) == 0 ? below : below + 1;
            assertEquals(expected, DType.floatToBf16(value) & 0xffff, () -> Float.toHexString(value));
        }
    }
}
