package io.mixt5.kernels.emulator.machine;

import io.mixt5.kernels.emulator.Monitor.Space;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A device's memory under made-up addresses. An address is never given out twice and allocations lie apart, so that an
 * access behind the end of one, or to one that was freed, is never taken for another's.
 */
public final class DeviceMemory {
    /** Generic addresses of a block's shared memory begin here. */
    public static final long SHARED_WINDOW = 0x7f00_0000_0000L;
    /** Generic addresses of a thread's local memory begin here. */
    public static final long LOCAL_WINDOW = 0x7f10_0000_0000L;
    /** Generic addresses of a kernel's parameters begin here. */
    public static final long PARAMETER_WINDOW = 0x7f20_0000_0000L;

    private static final long FIRST_ADDRESS = 0x7_0000_0000L;
    private static final int ALIGNMENT = 256;
    private static final long GAP = 4096;

    private final long total;
    private final TreeMap<Long, Long> freed = new TreeMap<>();
    private long used;
    private long next = FIRST_ADDRESS;
    // Sorted by address; replaced, never changed, so that kernels read them without a lock.
    private volatile Segment[] segments = {};

    /** Of {@code total} bytes. */
    public DeviceMemory(long total) {
        this.total = total;
    }

    /** Bytes that are not allocated. */
    public synchronized long available() {
        return total - used;
    }

    /** Reserves memory; null where it does not fit. */
    public synchronized Segment allocate(long bytes) {
        long rounded = bytes + ALIGNMENT - 1 & -ALIGNMENT;
        if (bytes > Integer.MAX_VALUE - 64 || rounded > total - used) {
            return null;
        }
        byte[] data = new byte[(int) bytes];
        Arrays.fill(data, Segment.UNWRITTEN);
        Segment segment = new Segment(Space.GLOBAL, next, bytes, 0, data);
        next += rounded + GAP;
        used += rounded;
        Segment[] more = Arrays.copyOf(segments, segments.length + 1);
        more[more.length - 1] = segment;
        segments = more;
        return segment;
    }

    /** Gives back the allocation that begins at {@code address}; null where there is none. */
    public synchronized Segment free(long address) {
        Segment[] all = segments;
        int i = indexOf(all, address);
        if (i < 0 || all[i].base != address) {
            return null;
        }
        Segment segment = all[i];
        segment.kill();
        used -= segment.size + ALIGNMENT - 1 & -ALIGNMENT;
        freed.put(segment.base, segment.size);
        Segment[] fewer = new Segment[all.length - 1];
        System.arraycopy(all, 0, fewer, 0, i);
        System.arraycopy(all, i + 1, fewer, i, fewer.length - i);
        segments = fewer;
        return segment;
    }

    /** All allocations there are now. */
    public List<Segment> segments() {
        return List.of(segments);
    }

    /** The allocation that holds {@code address}; null where there is none. */
    public Segment find(long address) {
        Segment[] all = segments;
        int i = indexOf(all, address);
        return i < 0 || address - all[i].base >= all[i].size ? null : all[i];
    }

    /** What lies at or before an address that no allocation holds, for messages. */
    public synchronized String describe(long address) {
        Segment[] all = segments;
        int i = indexOf(all, address);
        Map.Entry<Long, Long> gone = freed.floorEntry(address);
        if (gone != null && address - gone.getKey() < gone.getValue()) {
            return "it lies " + (address - gone.getKey()) + " bytes into an allocation of " + gone.getValue()
                    + " bytes that was freed";
        }
        if (i < 0) {
            return address < FIRST_ADDRESS
                    ? "no allocation lies that low; a null pointer perhaps"
                    : "no allocation lies before it";
        }
        return "the allocation before it has " + all[i].size + " bytes and begins " + (address - all[i].base)
                + " bytes before it";
    }

    /** Index of the last segment that begins at or before {@code address}, or -1. */
    private static int indexOf(Segment[] all, long address) {
        int low = 0;
        int high = all.length;
        while (low < high) {
            int middle = low + high >>> 1;
            if (all[middle].base <= address) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low - 1;
    }
}
