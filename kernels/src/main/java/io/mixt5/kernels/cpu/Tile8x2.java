package io.mixt5.kernels.cpu;

import static io.mixt5.kernels.cpu.Lanes.ADDRESS;

import io.mixt5.engine.Memory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The tiles of {@link MicroKernel} for processors with 32 vector registers: 8 rows by 2 vectors.
 *
 * <p>16 accumulators hide the latency of the multiply-add (4 cycles, 2 a cycle) and leave registers for two vectors of B
 * and one value of A. Each step of k reads 10 operands for its 16 multiply-adds.
 */
final class Tile8x2 {
    /** Rows of a tile. */
    static final int ROWS = 8;
    /** Vectors in a row of a wide tile. */
    static final int VECTORS = 2;

    private static final VectorSpecies<Float> F = Lanes.F;
    private static final MemorySegment ALL = Memory.ALL;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final long V = (long) Lanes.FLOATS * Float.BYTES;
    /** Steps of k are smaller, which the JIT is told like {@link Lanes#ADDRESS}. */
    private static final long STEP = (1L << 6) - 1;

    private Tile8x2() {
    }

    /** {@link MicroKernel#wide}. */
    static void wide(int depth, int rows, long a, long rowA, long stepA, long b, boolean adds, long c, long rowC) {
        long a0 = a & ADDRESS;
        long a1 = a + Math.min(1, rows - 1) * rowA & ADDRESS;
        long a2 = a + Math.min(2, rows - 1) * rowA & ADDRESS;
        long a3 = a + Math.min(3, rows - 1) * rowA & ADDRESS;
        long a4 = a + Math.min(4, rows - 1) * rowA & ADDRESS;
        long a5 = a + Math.min(5, rows - 1) * rowA & ADDRESS;
        long a6 = a + Math.min(6, rows - 1) * rowA & ADDRESS;
        long a7 = a + Math.min(7, rows - 1) * rowA & ADDRESS;
        long r0 = c & ADDRESS;
        long r1 = c + 1 * rowC & ADDRESS;
        long r2 = c + 2 * rowC & ADDRESS;
        long r3 = c + 3 * rowC & ADDRESS;
        long r4 = c + 4 * rowC & ADDRESS;
        long r5 = c + 5 * rowC & ADDRESS;
        long r6 = c + 6 * rowC & ADDRESS;
        long r7 = c + 7 * rowC & ADDRESS;
        FloatVector c00 = FloatVector.zero(F);
        FloatVector c01 = FloatVector.zero(F);
        FloatVector c10 = FloatVector.zero(F);
        FloatVector c11 = FloatVector.zero(F);
        FloatVector c20 = FloatVector.zero(F);
        FloatVector c21 = FloatVector.zero(F);
        FloatVector c30 = FloatVector.zero(F);
        FloatVector c31 = FloatVector.zero(F);
        FloatVector c40 = FloatVector.zero(F);
        FloatVector c41 = FloatVector.zero(F);
        FloatVector c50 = FloatVector.zero(F);
        FloatVector c51 = FloatVector.zero(F);
        FloatVector c60 = FloatVector.zero(F);
        FloatVector c61 = FloatVector.zero(F);
        FloatVector c70 = FloatVector.zero(F);
        FloatVector c71 = FloatVector.zero(F);
        if (adds) {
            c00 = FloatVector.fromMemorySegment(F, ALL, r0, ORDER);
            c01 = FloatVector.fromMemorySegment(F, ALL, r0 + V, ORDER);
            c10 = FloatVector.fromMemorySegment(F, ALL, r1, ORDER);
            c11 = FloatVector.fromMemorySegment(F, ALL, r1 + V, ORDER);
            c20 = FloatVector.fromMemorySegment(F, ALL, r2, ORDER);
            c21 = FloatVector.fromMemorySegment(F, ALL, r2 + V, ORDER);
            c30 = FloatVector.fromMemorySegment(F, ALL, r3, ORDER);
            c31 = FloatVector.fromMemorySegment(F, ALL, r3 + V, ORDER);
            c40 = FloatVector.fromMemorySegment(F, ALL, r4, ORDER);
            c41 = FloatVector.fromMemorySegment(F, ALL, r4 + V, ORDER);
            c50 = FloatVector.fromMemorySegment(F, ALL, r5, ORDER);
            c51 = FloatVector.fromMemorySegment(F, ALL, r5 + V, ORDER);
            c60 = FloatVector.fromMemorySegment(F, ALL, r6, ORDER);
            c61 = FloatVector.fromMemorySegment(F, ALL, r6 + V, ORDER);
            c70 = FloatVector.fromMemorySegment(F, ALL, r7, ORDER);
            c71 = FloatVector.fromMemorySegment(F, ALL, r7 + V, ORDER);
        }
        long from = b & ADDRESS;
        for (int p = 0; p < depth; p++) {
            long offset = p * (stepA & STEP);
            FloatVector b0 = FloatVector.fromMemorySegment(F, ALL, from, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(F, ALL, from + V, ORDER);
            FloatVector x0 = FloatVector.broadcast(F, ALL.get(FLOAT, a0 + offset));
            c00 = x0.fma(b0, c00);
            c01 = x0.fma(b1, c01);
            FloatVector x1 = FloatVector.broadcast(F, ALL.get(FLOAT, a1 + offset));
            c10 = x1.fma(b0, c10);
            c11 = x1.fma(b1, c11);
            FloatVector x2 = FloatVector.broadcast(F, ALL.get(FLOAT, a2 + offset));
            c20 = x2.fma(b0, c20);
            c21 = x2.fma(b1, c21);
            FloatVector x3 = FloatVector.broadcast(F, ALL.get(FLOAT, a3 + offset));
            c30 = x3.fma(b0, c30);
            c31 = x3.fma(b1, c31);
            FloatVector x4 = FloatVector.broadcast(F, ALL.get(FLOAT, a4 + offset));
            c40 = x4.fma(b0, c40);
            c41 = x4.fma(b1, c41);
            FloatVector x5 = FloatVector.broadcast(F, ALL.get(FLOAT, a5 + offset));
            c50 = x5.fma(b0, c50);
            c51 = x5.fma(b1, c51);
            FloatVector x6 = FloatVector.broadcast(F, ALL.get(FLOAT, a6 + offset));
            c60 = x6.fma(b0, c60);
            c61 = x6.fma(b1, c61);
            FloatVector x7 = FloatVector.broadcast(F, ALL.get(FLOAT, a7 + offset));
            c70 = x7.fma(b0, c70);
            c71 = x7.fma(b1, c71);
            from += 2 * V;
        }
        c00.intoMemorySegment(ALL, r0, ORDER);
        c01.intoMemorySegment(ALL, r0 + V, ORDER);
        c10.intoMemorySegment(ALL, r1, ORDER);
        c11.intoMemorySegment(ALL, r1 + V, ORDER);
        c20.intoMemorySegment(ALL, r2, ORDER);
        c21.intoMemorySegment(ALL, r2 + V, ORDER);
        c30.intoMemorySegment(ALL, r3, ORDER);
        c31.intoMemorySegment(ALL, r3 + V, ORDER);
        c40.intoMemorySegment(ALL, r4, ORDER);
        c41.intoMemorySegment(ALL, r4 + V, ORDER);
        c50.intoMemorySegment(ALL, r5, ORDER);
        c51.intoMemorySegment(ALL, r5 + V, ORDER);
        c60.intoMemorySegment(ALL, r6, ORDER);
        c61.intoMemorySegment(ALL, r6 + V, ORDER);
        c70.intoMemorySegment(ALL, r7, ORDER);
        c71.intoMemorySegment(ALL, r7 + V, ORDER);
    }

    /** {@link MicroKernel#narrow}. */
    static void narrow(int depth, int rows, long a, long rowA, long stepA, long b, boolean adds, long c, long rowC) {
        long a0 = a & ADDRESS;
        long a1 = a + Math.min(1, rows - 1) * rowA & ADDRESS;
        long a2 = a + Math.min(2, rows - 1) * rowA & ADDRESS;
        long a3 = a + Math.min(3, rows - 1) * rowA & ADDRESS;
        long a4 = a + Math.min(4, rows - 1) * rowA & ADDRESS;
        long a5 = a + Math.min(5, rows - 1) * rowA & ADDRESS;
        long a6 = a + Math.min(6, rows - 1) * rowA & ADDRESS;
        long a7 = a + Math.min(7, rows - 1) * rowA & ADDRESS;
        long r0 = c & ADDRESS;
        long r1 = c + 1 * rowC & ADDRESS;
        long r2 = c + 2 * rowC & ADDRESS;
        long r3 = c + 3 * rowC & ADDRESS;
        long r4 = c + 4 * rowC & ADDRESS;
        long r5 = c + 5 * rowC & ADDRESS;
        long r6 = c + 6 * rowC & ADDRESS;
        long r7 = c + 7 * rowC & ADDRESS;
        FloatVector c0 = FloatVector.zero(F);
        FloatVector c1 = FloatVector.zero(F);
        FloatVector c2 = FloatVector.zero(F);
        FloatVector c3 = FloatVector.zero(F);
        FloatVector c4 = FloatVector.zero(F);
        FloatVector c5 = FloatVector.zero(F);
        FloatVector c6 = FloatVector.zero(F);
        FloatVector c7 = FloatVector.zero(F);
        if (adds) {
            c0 = FloatVector.fromMemorySegment(F, ALL, r0, ORDER);
            c1 = FloatVector.fromMemorySegment(F, ALL, r1, ORDER);
            c2 = FloatVector.fromMemorySegment(F, ALL, r2, ORDER);
            c3 = FloatVector.fromMemorySegment(F, ALL, r3, ORDER);
            c4 = FloatVector.fromMemorySegment(F, ALL, r4, ORDER);
            c5 = FloatVector.fromMemorySegment(F, ALL, r5, ORDER);
            c6 = FloatVector.fromMemorySegment(F, ALL, r6, ORDER);
            c7 = FloatVector.fromMemorySegment(F, ALL, r7, ORDER);
        }
        long from = b & ADDRESS;
        for (int p = 0; p < depth; p++) {
            long offset = p * (stepA & STEP);
            FloatVector b0 = FloatVector.fromMemorySegment(F, ALL, from, ORDER);
            FloatVector x0 = FloatVector.broadcast(F, ALL.get(FLOAT, a0 + offset));
            c0 = x0.fma(b0, c0);
            FloatVector x1 = FloatVector.broadcast(F, ALL.get(FLOAT, a1 + offset));
            c1 = x1.fma(b0, c1);
            FloatVector x2 = FloatVector.broadcast(F, ALL.get(FLOAT, a2 + offset));
            c2 = x2.fma(b0, c2);
            FloatVector x3 = FloatVector.broadcast(F, ALL.get(FLOAT, a3 + offset));
            c3 = x3.fma(b0, c3);
            FloatVector x4 = FloatVector.broadcast(F, ALL.get(FLOAT, a4 + offset));
            c4 = x4.fma(b0, c4);
            FloatVector x5 = FloatVector.broadcast(F, ALL.get(FLOAT, a5 + offset));
            c5 = x5.fma(b0, c5);
            FloatVector x6 = FloatVector.broadcast(F, ALL.get(FLOAT, a6 + offset));
            c6 = x6.fma(b0, c6);
            FloatVector x7 = FloatVector.broadcast(F, ALL.get(FLOAT, a7 + offset));
            c7 = x7.fma(b0, c7);
            from += V;
        }
        c0.intoMemorySegment(ALL, r0, ORDER);
        c1.intoMemorySegment(ALL, r1, ORDER);
        c2.intoMemorySegment(ALL, r2, ORDER);
        c3.intoMemorySegment(ALL, r3, ORDER);
        c4.intoMemorySegment(ALL, r4, ORDER);
        c5.intoMemorySegment(ALL, r5, ORDER);
        c6.intoMemorySegment(ALL, r6, ORDER);
        c7.intoMemorySegment(ALL, r7, ORDER);
    }
}
