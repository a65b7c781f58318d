package io.mixt5.kernels.cpu;

import static io.mixt5.kernels.cpu.Lanes.ADDRESS;

import io.mixt5.engine.Memory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The tiles of {@link MicroKernel} for processors with 16 vector registers: 3 rows by 3 vectors.
 *
 * <p>C2 moves all loads of a loop's body to its front. So what must fit the registers is not only the accumulators, but
 * also all of the step's operands: 9 and 6. With any more, as in the 6 by 2 that assembly would use, accumulators go to
 * the stack in every step, at half the speed. For the same reason the loop must not be unrolled: its step is no constant.
 * On a Zen 3 core it runs at 84 to 87 GFLOP/s.
 */
final class Tile3x3 {
    /** Rows of a tile. */
    static final int ROWS = 3;
    /** Vectors in a row of a wide tile. */
    static final int VECTORS = 3;

    private static final VectorSpecies<Float> F = Lanes.F;
    private static final MemorySegment ALL = Memory.ALL;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final long V = (long) Lanes.FLOATS * Float.BYTES;

    private Tile3x3() {
    }

    /** {@link MicroKernel#wide}. */
    static void wide(int depth, int rows, long a, long rowA, long stepA, long b, boolean adds, long c, long rowC) {
        long a0 = a & ADDRESS;
        long a1 = a + Math.min(1, rows - 1) * rowA & ADDRESS;
        long a2 = a + (rows - 1) * rowA & ADDRESS;
        long r0 = c & ADDRESS;
        long r1 = c + rowC & ADDRESS;
        long r2 = c + 2 * rowC & ADDRESS;
        FloatVector c00 = FloatVector.zero(F);
        FloatVector c01 = FloatVector.zero(F);
        FloatVector c02 = FloatVector.zero(F);
        FloatVector c10 = FloatVector.zero(F);
        FloatVector c11 = FloatVector.zero(F);
        FloatVector c12 = FloatVector.zero(F);
        FloatVector c20 = FloatVector.zero(F);
        FloatVector c21 = FloatVector.zero(F);
        FloatVector c22 = FloatVector.zero(F);
        if (adds) {
            c00 = FloatVector.fromMemorySegment(F, ALL, r0, ORDER);
            c01 = FloatVector.fromMemorySegment(F, ALL, r0 + V, ORDER);
            c02 = FloatVector.fromMemorySegment(F, ALL, r0 + 2 * V, ORDER);
            c10 = FloatVector.fromMemorySegment(F, ALL, r1, ORDER);
            c11 = FloatVector.fromMemorySegment(F, ALL, r1 + V, ORDER);
            c12 = FloatVector.fromMemorySegment(F, ALL, r1 + 2 * V, ORDER);
            c20 = FloatVector.fromMemorySegment(F, ALL, r2, ORDER);
            c21 = FloatVector.fromMemorySegment(F, ALL, r2 + V, ORDER);
            c22 = FloatVector.fromMemorySegment(F, ALL, r2 + 2 * V, ORDER);
        }
        long from = b;
        long end = depth * stepA;
        long step = stepA * Lanes.one;
        for (long p = 0; p < end; p += step) {
            long offset = p & ADDRESS;
            long panel = from & ADDRESS;
            FloatVector b0 = FloatVector.fromMemorySegment(F, ALL, panel, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(F, ALL, panel + V, ORDER);
            FloatVector b2 = FloatVector.fromMemorySegment(F, ALL, panel + 2 * V, ORDER);
            FloatVector x0 = FloatVector.broadcast(F, ALL.get(FLOAT, a0 + offset));
            c00 = x0.fma(b0, c00);
            c01 = x0.fma(b1, c01);
            c02 = x0.fma(b2, c02);
            FloatVector x1 = FloatVector.broadcast(F, ALL.get(FLOAT, a1 + offset));
            c10 = x1.fma(b0, c10);
            c11 = x1.fma(b1, c11);
            c12 = x1.fma(b2, c12);
            FloatVector x2 = FloatVector.broadcast(F, ALL.get(FLOAT, a2 + offset));
            c20 = x2.fma(b0, c20);
            c21 = x2.fma(b1, c21);
            c22 = x2.fma(b2, c22);
            from += 3 * V;
        }
        c00.intoMemorySegment(ALL, r0, ORDER);
        c01.intoMemorySegment(ALL, r0 + V, ORDER);
        c02.intoMemorySegment(ALL, r0 + 2 * V, ORDER);
        c10.intoMemorySegment(ALL, r1, ORDER);
        c11.intoMemorySegment(ALL, r1 + V, ORDER);
        c12.intoMemorySegment(ALL, r1 + 2 * V, ORDER);
        c20.intoMemorySegment(ALL, r2, ORDER);
        c21.intoMemorySegment(ALL, r2 + V, ORDER);
        c22.intoMemorySegment(ALL, r2 + 2 * V, ORDER);
    }

    /** {@link MicroKernel#narrow}. */
    static void narrow(int depth, int rows, long a, long rowA, long stepA, long b, boolean adds, long c, long rowC) {
        long a0 = a & ADDRESS;
        long a1 = a + Math.min(1, rows - 1) * rowA & ADDRESS;
        long a2 = a + (rows - 1) * rowA & ADDRESS;
        long r0 = c & ADDRESS;
        long r1 = c + rowC & ADDRESS;
        long r2 = c + 2 * rowC & ADDRESS;
        FloatVector c0 = FloatVector.zero(F);
        FloatVector c1 = FloatVector.zero(F);
        FloatVector c2 = FloatVector.zero(F);
        if (adds) {
            c0 = FloatVector.fromMemorySegment(F, ALL, r0, ORDER);
            c1 = FloatVector.fromMemorySegment(F, ALL, r1, ORDER);
            c2 = FloatVector.fromMemorySegment(F, ALL, r2, ORDER);
        }
        long from = b;
        long end = depth * stepA;
        long step = stepA * Lanes.one;
        for (long p = 0; p < end; p += step) {
            long offset = p & ADDRESS;
            long panel = from & ADDRESS;
            FloatVector b0 = FloatVector.fromMemorySegment(F, ALL, panel, ORDER);
            FloatVector x0 = FloatVector.broadcast(F, ALL.get(FLOAT, a0 + offset));
            c0 = x0.fma(b0, c0);
            FloatVector x1 = FloatVector.broadcast(F, ALL.get(FLOAT, a1 + offset));
            c1 = x1.fma(b0, c1);
            FloatVector x2 = FloatVector.broadcast(F, ALL.get(FLOAT, a2 + offset));
            c2 = x2.fma(b0, c2);
            from += V;
        }
        c0.intoMemorySegment(ALL, r0, ORDER);
        c1.intoMemorySegment(ALL, r1, ORDER);
        c2.intoMemorySegment(ALL, r2, ORDER);
    }
}
