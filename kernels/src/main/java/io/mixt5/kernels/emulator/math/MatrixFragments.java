package io.mixt5.kernels.emulator.math;

/**
 * Matrix products of a warp, {@code mma.sync.aligned}, and the transposition that {@code ldmatrix} does. A fragment is
 * given as registers, each an array of 32 lanes.
 *
 * <p>An element of D is C's element plus the K products in the order of K. Products are exact, their sum is formed in
 * double precision and rounded once, to nearest even, to the type of D. A GPU adds the products of a slice of K at
 * once, aligned to the largest and cut off, so that its last bits differ; results agree within a few units in the last
 * place of the sum of the products' magnitudes.
 *
 * <p>An object holds scratch memory: one thread at a time may use it.
 */
public final class MatrixFragments {
    private static final int LANES = 32;
    private static final int M = MatrixShape.M;
    private static final int N = MatrixShape.N;

    private final MatrixShape shape;
    private final Format elements;
    private final boolean halfAccumulator;
    /** Where in {@link #a} each lane's elements go, 32 places for each element; and the same of B and C. */
    private final int[] placesA;
    private final int[] placesB;
    private final int[] placesC = new int[4 * LANES];
    private final double[] a;
    private final double[] b;
    private final double[] d = new double[M * N];

    /**
     * Products of one kind.
     *
     * @param elements type of A and B: F16 or BF16 for K8 and K16, TF32 for the other shapes
     * @param halfAccumulator whether C and D are f16, two to a register, instead of f32
     */
    public MatrixFragments(MatrixShape shape, Format elements, boolean halfAccumulator) {
        boolean fits = shape.perRegister() == 1
                ? elements == Format.TF32
                : elements == Format.F16 || elements == Format.BF16;
        if (!fits || halfAccumulator && elements != Format.F16) {
            throw new IllegalArgumentException("there is no matrix product of shape " + shape + " for " + elements
                    + (halfAccumulator ? " that is summed in F16" : ""));
        }
        this.shape = shape;
        this.elements = elements;
        this.halfAccumulator = halfAccumulator;
        a = new double[M * shape.k()];
        b = new double[shape.k() * N];
        placesA = new int[a.length];
        placesB = new int[b.length];
        for (int lane = 0; lane < LANES; lane++) {
            for (int i = 0; i < a.length / LANES; i++) {
                placesA[i * LANES + lane] = shape.rowA(lane, i) * shape.k() + shape.columnA(lane, i);
            }
            for (int i = 0; i < b.length / LANES; i++) {
                placesB[i * LANES + lane] = shape.rowB(lane, i) * N + shape.columnB(lane);
            }
            for (int i = 0; i < 4; i++) {
                placesC[i * LANES + lane] = MatrixShape.rowC(lane, i) * N + MatrixShape.columnC(lane, i);
            }
        }
    }

    /** Registers that hold C, and as many that hold D. */
    public int registersC() {
        return halfAccumulator ? 2 : 4;
    }

    /**
     * D = A B + C.
     *
     * @param target registers of D; they may be those of C
     */
    public void multiply(int[][] target, int[][] fragmentA, int[][] fragmentB, int[][] fragmentC) {
        unpack(fragmentA, shape.registersA(), placesA, a);
        unpack(fragmentB, shape.registersB(), placesB, b);
        for (int i = 0; i < 4; i++) {
            int[] register = fragmentC[halfAccumulator ? i / 2 : i];
            for (int lane = 0; lane < LANES; lane++) {
                int bits = register[lane];
                d[placesC[i * LANES + lane]] = halfAccumulator
                        ? Halves.value(bits >>> 16 * (i % 2))
                        : Float.intBitsToFloat(bits);
            }
        }
        for (int row = 0; row < M; row++) {
            addProducts(row);
        }
        for (int lane = 0; lane < LANES; lane++) {
            for (int i = 0; i < 4; i += 2) {
                int at = placesC[i * LANES + lane];
                if (halfAccumulator) {
                    target[i / 2][lane] = Halves.pair(half(d[at]), half(d[at + 1]));
                } else {
                    target[i][lane] = Floats.bits((float) d[at]);
                    target[i + 1][lane] = Floats.bits((float) d[at + 1]);
                }
            }
        }
    }

    /** Puts a fragment's elements where they belong in a matrix. */
    private void unpack(int[][] fragment, int registers, int[] places, double[] matrix) {
        int at = 0;
        for (int r = 0; r < registers; r++) {
            int[] register = fragment[r];
            for (int shift = 0; shift < 32; shift += 32 / shape.perRegister()) {
                for (int lane = 0; lane < LANES; lane++) {
                    int bits = register[lane] >>> shift;
                    matrix[places[at++]] = elements == Format.F16
                            ? Halves.value(bits)
                            : elements == Format.BF16 ? Bfloats.value(bits) : elements.decode(bits);
                }
            }
        }
    }

    private static int half(double value) {
        return (int) Format.F16.encode(value, Rounding.NEAREST);
    }

    /** A row of D; eight sums side by side keep the processor busy. */
    private void addProducts(int row) {
        int at = row * N;
        double d0 = d[at];
        double d1 = d[at + 1];
        double d2 = d[at + 2];
        double d3 = d[at + 3];
        double d4 = d[at + 4];
        double d5 = d[at + 5];
        double d6 = d[at + 6];
        double d7 = d[at + 7];
        int k = shape.k();
        for (int i = 0; i < k; i++) {
            double factor = a[row * k + i];
            int from = i * N;
            d0 += factor * b[from];
            d1 += factor * b[from + 1];
            d2 += factor * b[from + 2];
            d3 += factor * b[from + 3];
            d4 += factor * b[from + 4];
            d5 += factor * b[from + 5];
            d6 += factor * b[from + 6];
            d7 += factor * b[from + 7];
        }
        d[at] = d0;
        d[at + 1] = d1;
        d[at + 2] = d2;
        d[at + 3] = d3;
        d[at + 4] = d4;
        d[at + 5] = d5;
        d[at + 6] = d6;
        d[at + 7] = d7;
    }

    /**
     * One matrix of {@code ldmatrix.m8n8.b16}: lane l gets elements 2 (l % 4) and the next of row l / 4, or with
     * {@code .trans} of column l / 4.
     *
     * @param rows the eight rows of eight 16-bit elements, as four registers each; of matrix i, lanes 8 i to 8 i + 7
     * give their addresses
     * @param target the register that it is loaded into
     */
    public static void loadMatrix(int[] rows, boolean transposed, int[] target) {
        for (int lane = 0; lane < LANES; lane++) {
            target[lane] = transposed
                    ? Halves.pair(element16(rows, lane % 4 * 2, lane / 4), element16(rows, lane % 4 * 2 + 1, lane / 4))
                    : rows[lane];
        }
    }

    private static int element16(int[] rows, int row, int column) {
        return rows[row * 4 + column / 2] >>> 16 * (column % 2) & 0xffff;
    }
}
