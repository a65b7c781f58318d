package io.mixt5.kernels.emulator.counters;

import java.util.HashMap;
import java.util.Map;

/** A set of addresses of bytes. */
final class ByteSet {
    private static final int PAGE_SHIFT = 12;
    private static final int WORD_SHIFT = 6;

    private final Map<Long, long[]> pages = new HashMap<>();
    private long latestIndex = -1;
    private long[] latest;
    private long size;

    /** Adds {@code bytes} bytes, a power of two up to 64, at a multiple of as many. */
    void add(long address, int bytes) {
        long index = address >>> PAGE_SHIFT;
        if (index != latestIndex) {
            latest = pages.computeIfAbsent(index, key -> new long[1 << PAGE_SHIFT - WORD_SHIFT]);
            latestIndex = index;
        }
        int word = (int) (address >>> WORD_SHIFT) & (1 << PAGE_SHIFT - WORD_SHIFT) - 1;
        long bits = -1L >>> 64 - bytes << address;
        size += Long.bitCount(bits & ~latest[word]);
        latest[word] |= bits;
    }

    /** How many bytes it has. */
    long size() {
        return size;
    }

    /** Removes all. */
    void clear() {
        pages.clear();
        latestIndex = -1;
        size = 0;
    }
}
