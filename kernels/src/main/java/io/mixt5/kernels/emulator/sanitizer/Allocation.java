package io.mixt5.kernels.emulator.sanitizer;

import java.util.BitSet;

/** An allocation of device memory: which bytes hold something, and who accessed them in the launch under way. */
final class Allocation {
    private final long address;
    private final long bytes;
    private final BitSet written = new BitSet();
    private final RaceShadow races;

    Allocation(long address, long bytes) {
        this.address = address;
        this.bytes = bytes;
        races = new RaceShadow(bytes);
    }

    /** Where it begins. */
    long address() {
        return address;
    }

    /** Whether an address lies in it. */
    boolean contains(long at) {
        return at >= address && at - address < bytes;
    }

    /** Who accessed it. */
    RaceShadow races() {
        return races;
    }

    /** Notes that bytes hold something. */
    void write(long at, long count) {
        int from = (int) (at - address);
        written.set(from, from + (int) count);
    }

    /** The first of {@code count} bytes that holds nothing, or -1. */
    long unwritten(long at, int count) {
        int from = (int) (at - address);
        int clear = written.nextClearBit(from);
        return clear < from + count ? address + clear : -1;
    }

    /** Bytes hold what those of another allocation do, or nothing. */
    void copy(long at, Allocation source, long from, long count) {
        int shift = (int) (at - address) - (int) (from - source.address);
        int begin = (int) (from - source.address);
        int end = begin + (int) count;
        BitSet copied = source.written.get(begin, end);
        written.clear(begin + shift, end + shift);
        for (int i = copied.nextSetBit(0); i >= 0;) {
            int stop = copied.nextClearBit(i);
            written.set(begin + shift + i, begin + shift + stop);
            i = copied.nextSetBit(stop);
        }
    }

    /** A place in it, for messages. */
    String describe(long at) {
        return "byte " + (at - address) + " of the " + bytes + " allocated at 0x" + Long.toHexString(address);
    }
}
