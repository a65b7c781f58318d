package io.mixt5.engine;

import java.util.ArrayDeque;
import java.util.TreeMap;

/**
 * Freed blocks of a backend, kept for reuse by size class.
 *
 * <p>A size class has four steps per power of two, so at most a fifth of a block is unused; batches of varying length
 * then share few classes. A request may also take a block of up to twice its size that would otherwise lie idle.
 * Thread-safe.
 */
final class BlockCache {
    private static final long SMALLEST = 256;

    private final Backend backend;
    private final boolean exact;
    private final TreeMap<Long, ArrayDeque<Block>> free = new TreeMap<>();
    private long liveBytes;
    private long liveBlocks;
    private long reservedBytes;

    /** A piece of device memory: {@code size} bytes from {@code address}. */
    record Block(long address, long size) {
    }

    /** @param exact whether blocks are to have just the size asked for and none is to be reused */
    BlockCache(Backend backend, boolean exact) {
        this.backend = backend;
        this.exact = exact;
    }

    static long sizeClass(long bytes) {
        if (bytes <= SMALLEST) {
            return SMALLEST;
        }
        long step = Math.max(64, Long.highestOneBit(bytes - 1) >> 2);
        return (bytes + step - 1) / step * step;
    }

    /**
     * A block of at least {@code bytes} bytes.
     *
     * @param use what it is for, asked for its text when there is no memory
     * @throws UserException when the backend has no more memory, even with the idle blocks given back
     */
    synchronized Block allocate(long bytes, Object use) {
        Block block;
        try {
            block = exact ? fresh(bytes) : reuse(sizeClass(bytes));
        } catch (OutOfMemoryError e) {
            throw new UserException("there is no memory for " + use + ", %,d bytes: %,d are in use by %,d tensors, "
                    .formatted(bytes, liveBytes, liveBlocks) + "and then " + e.getMessage()
                    + "; use smaller batches or shorter sequences, a half precision, or a device with more memory", e);
        }
        liveBytes += block.size;
        liveBlocks++;
        return block;
    }

    private Block reuse(long size) {
        for (var blocks : free.subMap(size, true, 2 * size, true).values()) {
            if (!blocks.isEmpty()) {
                return blocks.pop();
            }
        }
        return fresh(size);
    }

    private Block fresh(long size) {
        Block block = new Block(reserve(size), size);
        reservedBytes += size;
        return block;
    }

    /** Asks the backend; where it has no more, gives back the blocks that lie idle and asks once again. */
    private long reserve(long size) {
        try {
            return backend.allocate(size);
        } catch (OutOfMemoryError e) {
            trim();
            return backend.allocate(size);
        }
    }

    synchronized void free(Block block) {
        liveBytes -= block.size;
        liveBlocks--;
        if (exact) {
            backend.free(block.address, block.size);
            reservedBytes -= block.size;
            return;
        }
        free.computeIfAbsent(block.size, size -> new ArrayDeque<>()).push(block);
    }

    synchronized void trim() {
        for (var blocks : free.values()) {
            for (Block block : blocks) {
                backend.free(block.address, block.size);
                reservedBytes -= block.size;
            }
        }
        free.clear();
    }

    synchronized long liveBytes() {
        return liveBytes;
    }

    synchronized long liveBlocks() {
        return liveBlocks;
    }

    synchronized long reservedBytes() {
        return reservedBytes;
    }
}
