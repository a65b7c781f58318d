package io.mixt5.kernels.emulator.math;

/**
 * How a warp holds the matrices of {@code mma.sync.aligned.m16n8kK.row.col}: which element is where. A is 16 x K, B is
 * K x 8, C and D are 16 x 8. Elements are numbered through a lane's registers in their order, 16-bit ones with the
 * lower half of a register first.
 *
 * <p>From the PTX ISA, matrix fragments of mma.m16n8k4, m16n8k8 and m16n8k16; there lane / 4 is called groupID, and
 * lane % 4 threadID_in_group.
 */
public enum MatrixShape {
    /** 16-bit elements, K = 8. */
    K8(8, 2),
    /** 16-bit elements, K = 16. */
    K16(16, 2),
    /** tf32, K = 4. */
    TF32_K4(4, 1),
    /** tf32, K = 8. */
    TF32_K8(8, 1);

    /** Rows of A and C. */
    public static final int M = 16;
    /** Columns of B and C. */
    public static final int N = 8;

    private final int k;
    private final int perRegister;

    /**
     * A shape.
     *
     * @param k columns of A
     * @param perRegister elements of A and B that a register holds
     */
    MatrixShape(int k, int perRegister) {
        this.k = k;
        this.perRegister = perRegister;
    }

    /** Columns of A and rows of B. */
    public int k() {
        return k;
    }

    /** Elements of A or B in a register: 1 or 2. */
    public int perRegister() {
        return perRegister;
    }

    /** Registers that hold A. */
    public int registersA() {
        return M * k / 32 / perRegister;
    }

    /** Registers that hold B. */
    public int registersB() {
        return N * k / 32 / perRegister;
    }

    /** Row of element {@code i} of A in {@code lane}: registers take turns between the upper and the lower 8 rows. */
    public int rowA(int lane, int i) {
        return lane / 4 + 8 * (i / perRegister % 2);
    }

    /** Column of element {@code i} of A in {@code lane}. */
    public int columnA(int lane, int i) {
        return alongK(lane, i % perRegister, i / perRegister / 2);
    }

    /** Row of element {@code i} of B in {@code lane}. */
    public int rowB(int lane, int i) {
        return alongK(lane, i % perRegister, i / perRegister);
    }

    /** Column of B, the same for all elements that {@code lane} holds. */
    public int columnB(int lane) {
        return lane / 4;
    }

    /** Row of element {@code i} of C or D in {@code lane}, 0 to 3. */
    public static int rowC(int lane, int i) {
        return lane / 4 + 8 * (i / 2);
    }

    /** Column of element {@code i} of C or D in {@code lane}. */
    public static int columnC(int lane, int i) {
        return lane % 4 * 2 + i % 2;
    }

    /** Four lanes cover a slice of K with one register each, slice after slice. */
    private int alongK(int lane, int within, int slice) {
        return (4 * slice + lane % 4) * perRegister + within;
    }
}
