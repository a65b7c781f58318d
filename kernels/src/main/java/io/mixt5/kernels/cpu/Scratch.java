package io.mixt5.kernels.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Off-heap working memory of the calling thread, kept from call to call so that a warm kernel allocates nothing.
 *
 * <p>A kernel asks {@link #newSlot} once, in a static final field, for each buffer that it needs at the same time, and
 * {@link #get} for the buffer of the thread it runs on: no two kernels and no two threads share memory. A kernel that
 * calls itself on one thread would share with itself; none may. The content is whatever the last use left.
 *
 * <p>Buffers grow and do not shrink; those of a thread go with the thread.
 */
public final class Scratch {
    /** Alignment of every buffer in bytes: a cache line, and the widest vector. */
    public static final int ALIGNMENT = 64;

    private static final AtomicInteger SLOTS = new AtomicInteger();
    private static final ThreadLocal<Scratch> CURRENT = ThreadLocal.withInitial(Scratch::new);

    private MemorySegment[] buffers = new MemorySegment[0];

    private Scratch() {
    }

    /** A slot that nobody else has. */
    public static int newSlot() {
        return SLOTS.getAndIncrement();
    }

    /**
     * The address of at least {@code bytes} bytes, 64-byte aligned, in {@code slot} of the calling thread. Valid on
     * this thread until the next call for the slot, which may move it to grow it and then loses the content.
     */
    public static long get(int slot, long bytes) {
        MemorySegment[] buffers = CURRENT.get().buffers;
        if (slot < buffers.length) {
            MemorySegment buffer = buffers[slot];
            if (buffer.byteSize() >= bytes) {
                return buffer.address();
            }
        }
        return CURRENT.get().grow(slot, bytes);
    }

    private long grow(int slot, long bytes) {
        if (slot >= buffers.length) {
            MemorySegment[] more = new MemorySegment[SLOTS.get()];
            Arrays.fill(more, MemorySegment.NULL);
            System.arraycopy(buffers, 0, more, 0, buffers.length);
            buffers = more;
        }
        // Room to spare, so that shapes which creep up do not move the buffer each time. An automatic arena, since a
        // thread that ends has nowhere to give its buffers back.
        long size = Math.max(4096, bytes + bytes / 4);
        buffers[slot] = Arena.ofAuto().allocate(size, ALIGNMENT);
        return buffers[slot].address();
    }
}
