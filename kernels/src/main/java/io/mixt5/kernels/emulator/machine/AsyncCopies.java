package io.mixt5.kernels.emulator.machine;

import java.util.Arrays;

/**
 * A warp's cp.async under way. The bytes are read when the copy is issued and arrive when a lane waits for them, at the
 * latest moment the ISA allows: who forgets to wait reads what was there before.
 */
public final class AsyncCopies {
    private static final int LARGEST = 16;

    private final Warp warp;
    private final int[] committed = new int[Lanes.COUNT];
    // Of each copy under way, in the order of their issue.
    private int count;
    private int[] lanes = new int[64];
    private int[] groups = new int[64];
    private int[] targets = new int[64];
    private int[] sizes = new int[64];
    private byte[] contents = new byte[64 * LARGEST];

    AsyncCopies(Warp warp) {
        this.warp = warp;
    }

    void start() {
        count = 0;
        Arrays.fill(committed, 0);
    }

    /**
     * Notes a lane's copy.
     *
     * @param target address in shared memory
     * @param bytes to write there: 4, 8 or 16
     * @param source where the bytes to read are; null for none
     * @param read how many are read, the rest being zeros
     */
    public void issue(int lane, int target, int bytes, byte[] source, int from, int read) {
        if (count == lanes.length) {
            lanes = Arrays.copyOf(lanes, 2 * count);
            groups = Arrays.copyOf(groups, 2 * count);
            targets = Arrays.copyOf(targets, 2 * count);
            sizes = Arrays.copyOf(sizes, 2 * count);
            contents = Arrays.copyOf(contents, 2 * count * LARGEST);
        }
        lanes[count] = lane;
        groups[count] = committed[lane];
        targets[count] = target;
        sizes[count] = bytes;
        Arrays.fill(contents, count * LARGEST, count * LARGEST + bytes, (byte) 0);
        if (read > 0) {
            System.arraycopy(source, from, contents, count * LARGEST, read);
        }
        count++;
    }

    /** Closes the lanes' groups. */
    public void commit(int mask) {
        for (int m = mask; m != 0; m &= m - 1) {
            committed[Integer.numberOfTrailingZeros(m)]++;
        }
    }

    /**
     * Lets copies arrive.
     *
     * @param pending how many of the latest closed groups of each lane may stay under way; -1 lets everything arrive,
     * the open groups too
     */
    public void await(int mask, int pending) {
        int kept = 0;
        for (int i = 0; i < count; i++) {
            int lane = lanes[i];
            boolean arrives = (mask >>> lane & 1) != 0
                    && (pending < 0 || groups[i] < committed[lane] - pending);
            if (arrives) {
                System.arraycopy(contents, i * LARGEST, warp.block.shared.bytes, targets[i], sizes[i]);
                if (warp.monitor != null) {
                    warp.monitor.copied(warp, lane, targets[i], sizes[i]);
                }
                continue;
            }
            if (kept < i) {
                lanes[kept] = lane;
                groups[kept] = groups[i];
                targets[kept] = targets[i];
                sizes[kept] = sizes[i];
                System.arraycopy(contents, i * LARGEST, contents, kept * LARGEST, LARGEST);
            }
            kept++;
        }
        count = kept;
    }
}
