package io.mixt5.kernels.emulator.machine;

import io.mixt5.kernels.emulator.Fault;
import io.mixt5.kernels.emulator.Monitor.Access;
import io.mixt5.kernels.emulator.Monitor.Space;
import java.util.Arrays;

/**
 * Finds the memory behind a warp's addresses. An access goes on in parts, each of them to a single array; nearly always
 * one part suffices.
 *
 * <pre>
 * for (int rest = mask; rest != 0;) {
 *     int part = memory.locate(...); // lane l of part accesses memory.data from memory.offsets[l] on
 *     rest &amp;= ~part;
 * }
 * </pre>
 */
public final class WarpMemory {
    /** Addresses of the access under way, one for each lane. */
    public final long[] addresses = new long[Lanes.COUNT];
    /** Where in {@link #data} each located lane's bytes begin. */
    public final int[] offsets = new int[Lanes.COUNT];
    /** The array that the located lanes access. */
    public byte[] data;

    private final Warp warp;
    private final Segment local;
    private final long[] relative = new long[Lanes.COUNT];
    private final AsyncCopies copies;

    WarpMemory(Warp warp, int localBytes) {
        this.warp = warp;
        this.local = new Segment(Space.LOCAL, DeviceMemory.LOCAL_WINDOW, localBytes, localBytes,
                new byte[localBytes * Lanes.COUNT]);
        this.copies = new AsyncCopies(warp);
    }

    void start() {
        Arrays.fill(local.bytes, Segment.UNWRITTEN);
        copies.start();
    }

    /** The warp's asynchronous copies. */
    public AsyncCopies copies() {
        return copies;
    }

    /** The kernel's parameters. */
    public byte[] parameters() {
        return warp.block.parameters.bytes;
    }

    /** Computes {@link #addresses} as a 64-bit register plus an offset. */
    public void address(long[] base, long offset) {
        for (int lane = 0; lane < Lanes.COUNT; lane++) {
            addresses[lane] = base[lane] + offset;
        }
    }

    /** Computes {@link #addresses} as a 32-bit register plus an offset. */
    public void address(int[] base, long offset) {
        for (int lane = 0; lane < Lanes.COUNT; lane++) {
            addresses[lane] = (base[lane] & 0xffff_ffffL) + offset;
        }
    }

    /**
     * Checks {@link #addresses} and finds the memory of the first lane and of all that access the same array.
     *
     * @param mask lanes to find memory for, not 0
     * @param bytes that each of them accesses
     * @param alignment of their addresses, a power of two
     * @param access what monitors are told of; null tells them nothing
     * @return the lanes for which {@link #data} and {@link #offsets} now hold
     * @throws Fault if the first lane's address is out of bounds or another's misaligned
     */
    public int locate(MemorySite at, int mask, int bytes, int alignment, Access access) {
        int first = Integer.numberOfTrailingZeros(mask);
        Space space = at.space;
        Segment segment;
        long base = 0;
        int part = 0;
        if (space == Space.SHARED || space == Space.LOCAL || space == Space.PARAMETER) {
            segment = space == Space.SHARED
                    ? warp.block.shared
                    : space == Space.LOCAL
                            ? local
                            : warp.block.parameters;
            part = place(segment, 0, mask, bytes);
        } else {
            segment = at.last;
            if (segment != null && segment.live()) {
                base = segment.base;
                part = place(segment, base, mask, bytes);
            }
            if ((part >>> first & 1) == 0) {
                segment = find(addresses[first]);
                base = segment == null ? 0 : segment.base;
                part = segment == null ? 0 : place(segment, base, mask, bytes);
                at.last = segment != null && segment.space == Space.GLOBAL ? segment : at.last;
            }
        }
        if ((part >>> first & 1) == 0) {
            throw outOfBounds(at, segment, first, bytes, access);
        }
        checkAlignment(at, part, bytes, alignment, access);
        data = segment.bytes;
        if (warp.monitor != null && access != null) {
            warp.monitor.accessed(warp, at.instruction.line, space == Space.CONSTANT ? space : segment.space, access,
                    part,
                    segment.space == Space.GLOBAL ? addresses : relativeTo(base), bytes);
        }
        return part;
    }

    private Segment find(long address) {
        if (address < DeviceMemory.SHARED_WINDOW) {
            return warp.block.global.find(address);
        }
        if (address < DeviceMemory.LOCAL_WINDOW) {
            return warp.block.shared;
        }
        return address < DeviceMemory.PARAMETER_WINDOW ? local : warp.block.parameters;
    }

    /** Sets the offsets of the lanes whose bytes lie in a segment, and returns those lanes. */
    private int place(Segment segment, long base, int mask, int bytes) {
        long limit = segment.size - bytes;
        int stride = segment.laneStride;
        if (mask == -1) {
            long outside = 0;
            for (int lane = 0; lane < Lanes.COUNT; lane++) {
                long offset = addresses[lane] - base;
                outside |= offset | limit - offset;
                offsets[lane] = (int) offset + lane * stride;
            }
            if (outside >= 0) {
                return -1;
            }
        }
        int part = 0;
        for (int m = mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            long offset = addresses[lane] - base;
            if (offset >= 0 && offset <= limit) {
                offsets[lane] = (int) offset + lane * stride;
                part |= 1 << lane;
            }
        }
        return part;
    }

    private void checkAlignment(MemorySite at, int part, int bytes, int alignment, Access access) {
        long low = 0;
        if (part == -1) {
            for (int lane = 0; lane < Lanes.COUNT; lane++) {
                low |= addresses[lane];
            }
        } else {
            for (int m = part; m != 0; m &= m - 1) {
                low |= addresses[Integer.numberOfTrailingZeros(m)];
            }
        }
        if ((low & alignment - 1) != 0) {
            int lane = Integer.numberOfTrailingZeros(part);
            while ((part >>> lane & 1) == 0 || (addresses[lane] & alignment - 1) == 0) {
                lane++;
            }
            throw illegal(at, lane, bytes, access, "the address is no multiple of " + alignment);
        }
    }

    private Fault outOfBounds(MemorySite at, Segment segment, int lane, int bytes, Access access) {
        if (segment == null || segment.space == Space.GLOBAL) {
            return illegal(at, lane, bytes, access, warp.block.global.describe(addresses[lane]));
        }
        String what = switch (segment.space) {
            case SHARED -> "shared memory of the block";
            case LOCAL -> "local memory of the thread";
            default -> "memory of the parameters";
        };
        return illegal(at, lane, bytes, access, "the " + what + " has " + segment.size + " bytes");
    }

    private Fault illegal(MemorySite at, int lane, int bytes, Access access, String why) {
        String what = access == null ? "copies " : switch (access) {
            case READ -> "reads ";
            case WRITE -> "writes ";
            case ATOMIC -> "updates ";
        };
        return new Fault(Fault.Kind.ILLEGAL_ADDRESS,
                warp.where(at.instruction.line, lane) + ": " + at.instruction.opcode + " " + what + bytes
                        + " bytes at 0x" + Long.toHexString(addresses[lane]) + ", which is not allowed: " + why);
    }

    private long[] relativeTo(long base) {
        for (int lane = 0; lane < Lanes.COUNT; lane++) {
            relative[lane] = addresses[lane] - base;
        }
        return relative;
    }
}
