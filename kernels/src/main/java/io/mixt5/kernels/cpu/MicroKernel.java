package io.mixt5.kernels.cpu;

/**
 * The innermost loops of {@link VectorGemm}: a tile of C held in registers while k passes by. Its shape is that which
 * the registers hold: {@link Tile3x3} for AVX2's 16 registers of eight floats, otherwise {@link Tile8x2}.
 *
 * <p>A wide tile is some vectors wide; a narrow one, of one vector, is for products with few columns.
 *
 * <p>The tiles are written out, without methods of their own, on purpose. So many vector operations in one method
 * exhaust the JIT's budget for inlining (NodeCountInliningCutoff), after which it inlines the JDK's own, which are
 * marked, but no others; and a vector that goes through a call is an object on the heap.
 */
final class MicroKernel {
    private static final boolean FEW_REGISTERS = Lanes.FLOATS == 8;
    /** Rows of a tile. */
    static final int ROWS = FEW_REGISTERS ? Tile3x3.ROWS : Tile8x2.ROWS;
    /** Columns of a wide tile. */
    static final int WIDE = (FEW_REGISTERS ? Tile3x3.VECTORS : Tile8x2.VECTORS) * Lanes.FLOATS;
    /** Columns of a narrow tile. */
    static final int NARROW = Lanes.FLOATS;
    /** Steps of k for which a panel of B stays in the first-level cache. */
    static final int DEPTH = FEW_REGISTERS ? 256 : 512;

    private MicroKernel() {
    }

    /**
     * C = A B, or C += A B, for one tile of {@link #ROWS} x {@link #WIDE}.
     *
     * @param depth steps in k
     * @param rows how many rows of A there are, 1 to {@link #ROWS}; the last one stands in for those that are missing
     * @param a A's first element
     * @param rowA distance between A's rows in bytes
     * @param stepA distance between A's columns in bytes, less than 64
     * @param b a panel of B: {@code depth} times {@link #WIDE} floats
     * @param adds whether the sums start from C rather than from 0
     * @param c the tile's first element
     * @param rowC distance between the tile's rows in bytes
     */
    static void wide(int depth, int rows, long a, long rowA, long stepA, long b, boolean adds, long c, long rowC) {
        if (FEW_REGISTERS) {
            Tile3x3.wide(depth, rows, a, rowA, stepA, b, adds, c, rowC);
        } else {
            Tile8x2.wide(depth, rows, a, rowA, stepA, b, adds, c, rowC);
        }
    }

    /** As {@link #wide}, for a tile of {@link #ROWS} x {@link #NARROW}. */
    static void narrow(int depth, int rows, long a, long rowA, long stepA, long b, boolean adds, long c, long rowC) {
        if (FEW_REGISTERS) {
            Tile3x3.narrow(depth, rows, a, rowA, stepA, b, adds, c, rowC);
        } else {
            Tile8x2.narrow(depth, rows, a, rowA, stepA, b, adds, c, rowC);
        }
    }
}
