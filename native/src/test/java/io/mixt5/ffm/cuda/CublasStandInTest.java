package io.mixt5.ffm.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.ffm.NativeLibraries;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Products by the stand-in for cuBLAS, called from C as cuBLAS is. */
@SuppressWarnings("restricted")
class CublasStandInTest {
    private static final int HALF = 2;
    private static final int BFLOAT = 14;
    private static final int COMPUTE_32F = 68;

    private final FakeDriver fake = new FakeDriver();
    private final Arena arena = Arena.ofConfined();
    private StandIn standIn;
    private SymbolLookup library;
    private long handle;

    @BeforeEach
    void install() throws Throwable {
        StandIn.assumeAvailable();
        standIn = StandIn.install(fake);
        library = NativeLibraries.open(
                Path.of(System.getProperty("mixt5.cuda")).resolveSibling("libcublas.so.12").toString());
        MemorySegment out = arena.allocate(JAVA_LONG);
        assertEquals(0, call("cublasCreate_v2", out));
        handle = out.get(JAVA_LONG, 0);
    }

    @AfterEach
    void takeAway() {
        if (standIn != null) {
            standIn.close();
        }
        arena.close();
    }

    /** Calls a function with ints, longs and addresses. */
    private int call(String function, Object... arguments) throws Throwable {
        MemoryLayout[] layouts = Arrays.stream(arguments).map(argument -> switch (argument) {
            case Integer _ -> JAVA_INT;
            case Long _ -> JAVA_LONG;
            default -> ADDRESS;
        }).toArray(MemoryLayout[]::new);
        return (int) Linker.nativeLinker().downcallHandle(library.find(function).orElseThrow(),
                FunctionDescriptor.of(JAVA_INT, layouts)).invokeWithArguments(arguments);
    }

    private MemorySegment scalar(float value) {
        return arena.allocateFrom(JAVA_FLOAT, value);
    }

    private long floats(float... values) {
        long address = fake.allocate(values.length * 4L);
        MemorySegment.copy(values, 0, fake.memory(address, values.length * 4L), JAVA_FLOAT, 0, values.length);
        return address;
    }

    /** Column-major, all dimensions different, with gaps between the columns. */
    @Test
    void multipliesBothWaysRound() throws Throwable {
        // A is 2 x 3: rows 1 2 3 and 4 5 6; B is 3 x 1: 1 0 -1; C is 2 x 1.
        long a = floats(1, 4, -9, 2, 5, -9, 3, 6, -9);
        long aTransposed = floats(1, 2, 3, -9, 4, 5, 6, -9);
        long b = floats(1, 0, -1);
        long bTransposed = floats(1, -9, 0, -9, -1, -9);
        long c = floats(10, 20);
        assertEquals(0, call("cublasSgemm_v2", handle, 0, 0, 2, 1, 3, scalar(2), a, 3, b, 3, scalar(0.5f), c, 2));
        assertArrayEquals(new float[]{-4 + 5, -4 + 10}, fake.memory(c, 8).toArray(JAVA_FLOAT));
        assertEquals(0, call("cublasSgemm_v2", handle, 1, 1, 2, 1, 3, scalar(1), aTransposed, 4, bTransposed, 2,
                scalar(0), c, 2));
        assertArrayEquals(new float[]{-2, -2}, fake.memory(c, 8).toArray(JAVA_FLOAT));
    }

    @Test
    void doesNotReadTheResultWhenBetaIsZero() throws Throwable {
        long one = floats(1);
        long c = floats(Float.NaN);
        assertEquals(0, call("cublasSgemm_v2", handle, 0, 0, 1, 1, 1, scalar(1), one, 1, one, 1, scalar(0), c, 1));
        assertEquals(1, fake.memory(c, 4).get(JAVA_FLOAT, 0));
    }

    @Test
    void multipliesHalves() throws Throwable {
        long a = fake.allocate(4);
        fake.memory(a, 4).setAtIndex(JAVA_SHORT, 0, Float.floatToFloat16(1.5f));
        fake.memory(a, 4).setAtIndex(JAVA_SHORT, 1, Float.floatToFloat16(-2));
        long c = floats(1);
        assertEquals(0, call("cublasGemmEx", handle, 1, 0, 1, 1, 2, scalar(1), a, HALF, 2, a, HALF, 2, scalar(1), c, 0,
                1, COMPUTE_32F, -1));
        assertEquals(1 + 2.25f + 4, fake.memory(c, 4).get(JAVA_FLOAT, 0));
    }

    /** 1 + 2^-8 lies halfway between two bfloats and goes to the even one; 1 + 3 * 2^-8 goes up. */
    @Test
    void roundsBrainFloatsToEven() throws Throwable {
        long a = fake.allocate(4);
        fake.memory(a, 4).setAtIndex(JAVA_SHORT, 0, (short) (Float.floatToIntBits(1) >>> 16));
        fake.memory(a, 4).setAtIndex(JAVA_SHORT, 1, (short) (Float.floatToIntBits(1 + 0x1p-7f) >>> 16));
        long b = fake.allocate(2);
        fake.memory(b, 2).set(JAVA_SHORT, 0, (short) (Float.floatToIntBits(1) >>> 16));
        long c = fake.allocate(4);
        // 1 + 2^-8 and 1 + 2^-7 + 2^-8, by adding beta times what is there.
        for (int i = 0; i < 2; i++) {
            fake.memory(c, 4).setAtIndex(JAVA_SHORT, i, (short) (Float.floatToIntBits(0x1p-8f) >>> 16));
        }
        assertEquals(0, call("cublasGemmEx", handle, 0, 0, 2, 1, 1, scalar(1), a, BFLOAT, 2, b, BFLOAT, 1, scalar(1), c,
                BFLOAT, 2, COMPUTE_32F, -1));
        assertEquals((short) (Float.floatToIntBits(1) >>> 16), fake.memory(c, 4).getAtIndex(JAVA_SHORT, 0));
        assertEquals((short) (Float.floatToIntBits(1 + 0x1p-6f) >>> 16), fake.memory(c, 4).getAtIndex(JAVA_SHORT, 1));
    }

    @Test
    void multipliesBatches() throws Throwable {
        long a = floats(1, 2, 3);
        long b = floats(4, 5);
        long c = floats(0, -9, 0, -9, 0);
        assertEquals(0, call("cublasGemmStridedBatchedEx", handle, 0, 0, 1, 1, 1, scalar(1), a, 0, 1, 1L, b, 0, 1, 0L,
                scalar(0), c, 0, 1, 2L, 3, COMPUTE_32F, -1));
        assertArrayEquals(new float[]{4, -9, 8, -9, 12}, fake.memory(c, 20).toArray(JAVA_FLOAT));
    }

    @Test
    void refusesWhatCublasRefuses() throws Throwable {
        long one = floats(1);
        assertEquals(1, call("cublasSgemm_v2", 77L, 0, 0, 1, 1, 1, scalar(1), one, 1, one, 1, scalar(0), one, 1));
        assertEquals(7, call("cublasSgemm_v2", handle, 0, 0, 2, 1, 1, scalar(1), one, 1, one, 1, scalar(0), one, 1));
        // The compute type of old: CUDA_R_32F.
        assertEquals(15, call("cublasGemmEx", handle, 0, 0, 1, 1, 1, scalar(1), one, 0, 1, one, 0, 1, scalar(0), one, 0,
                1, 0, -1));
        assertEquals(15, call("cublasDgemm_v2", handle), "in nobody's list");
        assertEquals(13, call("cublasSgemm_v2", handle, 0, 0, 1, 1, 9, scalar(1), one, 1, one, 9, scalar(0), one, 1));
        assertEquals(CudaException.ILLEGAL_ADDRESS, ((CudaException) standIn.thrown().getLast()).status());
        standIn.fail("cublasSgemm_v2", 1, 13);
        assertEquals(13, call("cublasSgemm_v2", handle, 0, 0, 1, 1, 1, scalar(1), one, 1, one, 1, scalar(0), one, 1));
    }

    @Test
    void takesAStreamAndGoesAway() throws Throwable {
        long stream = fake.createStream();
        assertEquals(0, call("cublasSetStream_v2", handle, stream));
        assertEquals(0, call("cublasSetMathMode", handle, 3));
        long one = floats(1);
        assertEquals(0, call("cublasSgemm_v2", handle, 0, 0, 1, 1, 1, scalar(1), one, 1, one, 1, scalar(0), one, 1));
        assertEquals("synchronize " + stream, fake.calls.getLast());
        assertEquals(0, call("cublasDestroy_v2", handle));
        assertEquals(1, call("cublasDestroy_v2", handle));
    }
}
