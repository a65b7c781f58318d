package io.mixt5.kernels.emulator.sanitizer;

import java.util.Arrays;

/** The bytes of shared memory that a cp.async writes at some moment from its issue on until it has been waited for. */
final class PendingCopies {
    /** A cp.async writes 4, 8 or 16 bytes at a multiple of as many. */
    private static final int WORD = 2;

    private long[] accessors = {};
    private int count;

    /** Begins with shared memory of {@code bytes} bytes and no copies. */
    void start(int bytes) {
        int words = (bytes + 3) >>> WORD;
        if (accessors.length != words) {
            accessors = new long[words];
        } else if (count > 0) {
            Arrays.fill(accessors, 0);
        }
        count = 0;
    }

    /** A copy is under way. */
    void issue(long address, int bytes, long accessor) {
        for (int i = (int) address >>> WORD; i < (int) address + bytes >>> WORD; i++) {
            count += accessors[i] == 0 ? 1 : 0;
            accessors[i] = accessor;
        }
    }

    /** A copy has arrived; returns who issued it. */
    long arrive(long address, int bytes) {
        long accessor = accessors[(int) address >>> WORD];
        for (int i = (int) address >>> WORD; i < (int) address + bytes >>> WORD; i++) {
            count -= accessors[i] == 0 ? 0 : 1;
            accessors[i] = 0;
        }
        return accessor;
    }

    /** Who issued a copy that may still write one of these bytes; 0 for nobody. */
    long find(long address, int bytes) {
        if (count == 0) {
            return 0;
        }
        for (int i = (int) address >>> WORD; i <= (int) address + bytes - 1 >>> WORD; i++) {
            if (accessors[i] != 0) {
                return accessors[i];
            }
        }
        return 0;
    }
}
