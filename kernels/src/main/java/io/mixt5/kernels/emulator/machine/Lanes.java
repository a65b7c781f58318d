package io.mixt5.kernels.emulator.machine;

import java.util.Arrays;

/** Registers hold one value for each lane of a warp. */
public final class Lanes {
    /** Lanes of a warp. */
    public static final int COUNT = 32;

    private Lanes() {
    }

    /** The same value in all lanes. */
    static int[] all(int value) {
        int[] lanes = new int[COUNT];
        Arrays.fill(lanes, value);
        return lanes;
    }

    /** The same value in all lanes. */
    static long[] all(long value) {
        long[] lanes = new long[COUNT];
        Arrays.fill(lanes, value);
        return lanes;
    }

    /** Mask of the first {@code count} lanes, 0 to 32. */
    static int first(int count) {
        return count == 0 ? 0 : -1 >>> COUNT - count;
    }
}
