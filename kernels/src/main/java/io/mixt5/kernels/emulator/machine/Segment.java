package io.mixt5.kernels.emulator.machine;

import io.mixt5.kernels.emulator.Monitor.Space;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Contiguous memory behind contiguous addresses: an allocation, or a space of its own such as a block's shared memory. */
public final class Segment {
    /** Two bytes of a byte[], little-endian. */
    public static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    /** Four bytes of a byte[], little-endian. */
    public static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    /** Eight bytes of a byte[], little-endian. */
    public static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** What memory that was never written holds: as a float, a half or a bfloat16 it is a NaN. */
    static final byte UNWRITTEN = -1;

    final Space space;
    final long base;
    final long size;
    final int laneStride;
    final byte[] bytes;
    private volatile boolean live = true;

    /**
     * Of {@code size} bytes.
     *
     * @param base its first generic address
     * @param laneStride bytes between what two neighbouring lanes see at the same address; 0 where all see the same
     * @param bytes the memory, at least as large
     */
    Segment(Space space, long base, long size, int laneStride, byte[] bytes) {
        this.space = space;
        this.base = base;
        this.size = size;
        this.laneStride = laneStride;
        this.bytes = bytes;
    }

    /** Its first generic address. */
    public long base() {
        return base;
    }

    /** Its bytes. */
    public long size() {
        return size;
    }

    /** The memory itself. */
    public byte[] bytes() {
        return bytes;
    }

    boolean live() {
        return live;
    }

    void kill() {
        live = false;
    }
}
