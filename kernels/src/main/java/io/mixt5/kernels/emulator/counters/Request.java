package io.mixt5.kernels.emulator.counters;

import java.util.Arrays;

/** Figures of one access to memory by the lanes of a warp, each {@code bytes} bytes at a multiple of as many. */
final class Request {
    private static final int LANES = 32;
    private static final int BANKS = 32;
    private static final int BANK_BYTES = 4;
    private static final int SECTOR_BYTES = 32;

    private final long[] units = new long[LANES * 4];
    private final int[] ways = new int[BANKS];
    private int distinct;

    /** Sectors of 32 bytes that the lanes touch. */
    int sectors(int mask, long[] addresses) {
        collect(mask, addresses, SECTOR_BYTES);
        return distinct;
    }

    /** The least sectors that the different bytes fit into. */
    int idealSectors(int mask, long[] addresses, int bytes) {
        collect(mask, addresses, bytes);
        return (distinct * bytes + SECTOR_BYTES - 1) / SECTOR_BYTES;
    }

    /** Parts of a warp that shared memory serves one after another, those without lanes left out. */
    static int phases(int mask, int bytes) {
        int lanes = lanesOfPhase(bytes);
        int phases = 0;
        for (int first = 0; first < LANES; first += lanes) {
            phases += (mask & part(first, lanes)) == 0 ? 0 : 1;
        }
        return phases;
    }

    /**
     * Steps that shared memory serves them in: within a phase, as many as the most different words that are in one of
     * the 32 banks of 4 bytes. Lanes that access the same word share a step, unless they update it.
     */
    int wavefronts(int mask, long[] addresses, int bytes, boolean atomic) {
        int lanes = lanesOfPhase(bytes);
        int wavefronts = 0;
        for (int first = 0; first < LANES; first += lanes) {
            int part = mask & part(first, lanes);
            if (part != 0) {
                wavefronts += steps(part, addresses, bytes, atomic);
            }
        }
        return wavefronts;
    }

    private int steps(int mask, long[] addresses, int bytes, boolean atomic) {
        int count = 0;
        for (int m = mask; m != 0; m &= m - 1) {
            long address = addresses[Integer.numberOfTrailingZeros(m)];
            for (int at = 0; at < bytes; at += BANK_BYTES) {
                units[count++] = (address + at) / BANK_BYTES;
            }
        }
        Arrays.sort(units, 0, count);
        Arrays.fill(ways, 0);
        int most = 0;
        for (int i = 0; i < count; i++) {
            if (i == 0 || atomic || units[i] != units[i - 1]) {
                most = Math.max(most, ++ways[(int) units[i] % BANKS]);
            }
        }
        return most;
    }

    /** Counts the different units of {@code bytes} bytes that the lanes' addresses are in. */
    private void collect(int mask, long[] addresses, int bytes) {
        int count = 0;
        for (int m = mask; m != 0; m &= m - 1) {
            units[count++] = addresses[Integer.numberOfTrailingZeros(m)] / bytes;
        }
        Arrays.sort(units, 0, count);
        distinct = count == 0 ? 0 : 1;
        for (int i = 1; i < count; i++) {
            distinct += units[i] == units[i - 1] ? 0 : 1;
        }
    }

    private static int lanesOfPhase(int bytes) {
        return bytes <= BANK_BYTES ? LANES : LANES * BANK_BYTES / bytes;
    }

    private static int part(int first, int lanes) {
        return -1 >>> LANES - lanes << first;
    }
}
