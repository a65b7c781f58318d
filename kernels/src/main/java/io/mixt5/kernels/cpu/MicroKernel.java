package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * The innermost loop of {@link VectorGemm}: one tile of C, {@link #ROWS} x {@link #COLUMNS}, held in registers while k
 * passes by.
 *
 * <p>The tile is 8 rows by 2 vectors: 16 accumulators hide the latency of the multiply-add on every current processor
 * (4 cycles, 2 a cycle) and leave registers for two vectors of B and one value of A. Each step reads 10 operands for
 * its 16 multiply-adds. Larger tiles read less, but C2 does not keep them in registers.
 */
final class MicroKernel {
    /** Rows of a tile: the width of a panel of A. */
    static final int ROWS = 8;
    /** Columns of a tile: the width of a panel of B. */
    static final int COLUMNS = 2 * Lanes.FLOATS;

    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final long VECTOR = (long) Lanes.FLOATS * Float.BYTES;
    /** Addresses of user space fit in 48 bits: said to the JIT, this lets every bounds check fold at compile time. */
    private static final long ADDRESS = (1L << 48) - 1;

    private MicroKernel() {
    }

    /**
     * C = alpha A B + beta C for one whole tile; C is not read when beta is 0.
     *
     * @param depth steps in k
     * @param a a panel of A: {@code depth} times {@link #ROWS} floats
     * @param b a panel of B: {@code depth} times {@link #COLUMNS} floats
     * @param c the tile's first element
     * @param ldc distance between the tile's rows in floats
     */
    static void tile(int depth, long a, long b, float alpha, float beta, long c, int ldc) {
        long pa = a & ADDRESS;
        long pb = b & ADDRESS;
        FloatVector c00 = FloatVector.zero(Lanes.F);
        FloatVector c01 = FloatVector.zero(Lanes.F);
        FloatVector c10 = FloatVector.zero(Lanes.F);
        FloatVector c11 = FloatVector.zero(Lanes.F);
        FloatVector c20 = FloatVector.zero(Lanes.F);
        FloatVector c21 = FloatVector.zero(Lanes.F);
        FloatVector c30 = FloatVector.zero(Lanes.F);
        FloatVector c31 = FloatVector.zero(Lanes.F);
        FloatVector c40 = FloatVector.zero(Lanes.F);
        FloatVector c41 = FloatVector.zero(Lanes.F);
        FloatVector c50 = FloatVector.zero(Lanes.F);
        FloatVector c51 = FloatVector.zero(Lanes.F);
        FloatVector c60 = FloatVector.zero(Lanes.F);
        FloatVector c61 = FloatVector.zero(Lanes.F);
        FloatVector c70 = FloatVector.zero(Lanes.F);
        FloatVector c71 = FloatVector.zero(Lanes.F);
        for (int p = 0; p < depth; p++) {
            FloatVector b0 = load(pb);
            FloatVector b1 = load(pb + VECTOR);
            FloatVector a0 = broadcast(pa);
            c00 = a0.fma(b0, c00);
            c01 = a0.fma(b1, c01);
            FloatVector a1 = broadcast(pa + 4);
            c10 = a1.fma(b0, c10);
            c11 = a1.fma(b1, c11);
            FloatVector a2 = broadcast(pa + 8);
            c20 = a2.fma(b0, c20);
            c21 = a2.fma(b1, c21);
            FloatVector a3 = broadcast(pa + 12);
            c30 = a3.fma(b0, c30);
            c31 = a3.fma(b1, c31);
            FloatVector a4 = broadcast(pa + 16);
            c40 = a4.fma(b0, c40);
            c41 = a4.fma(b1, c41);
            FloatVector a5 = broadcast(pa + 20);
            c50 = a5.fma(b0, c50);
            c51 = a5.fma(b1, c51);
            FloatVector a6 = broadcast(pa + 24);
            c60 = a6.fma(b0, c60);
            c61 = a6.fma(b1, c61);
            FloatVector a7 = broadcast(pa + 28);
            c70 = a7.fma(b0, c70);
            c71 = a7.fma(b1, c71);
            pa += ROWS * Float.BYTES;
            pb += 2 * VECTOR;
        }
        long stride = (long) ldc * Float.BYTES;
        long row = c & ADDRESS;
        store(c00, c01, alpha, beta, row);
        store(c10, c11, alpha, beta, row + 1 * stride);
        store(c20, c21, alpha, beta, row + 2 * stride);
        store(c30, c31, alpha, beta, row + 3 * stride);
        store(c40, c41, alpha, beta, row + 4 * stride);
        store(c50, c51, alpha, beta, row + 5 * stride);
        store(c60, c61, alpha, beta, row + 6 * stride);
        store(c70, c71, alpha, beta, row + 7 * stride);
    }

    private static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(Lanes.F, Memory.ALL, address, ORDER);
    }

    private static FloatVector broadcast(long address) {
        return FloatVector.broadcast(Lanes.F, Memory.getFloat(address));
    }

    private static void store(FloatVector left, FloatVector right, float alpha, float beta, long address) {
        FloatVector x = left.mul(alpha);
        FloatVector y = right.mul(alpha);
        if (beta != 0) {
            FloatVector factor = FloatVector.broadcast(Lanes.F, beta);
            x = load(address).fma(factor, x);
            y = load(address + VECTOR).fma(factor, y);
        }
        x.intoMemorySegment(Memory.ALL, address, ORDER);
        y.intoMemorySegment(Memory.ALL, address + VECTOR, ORDER);
    }
}
