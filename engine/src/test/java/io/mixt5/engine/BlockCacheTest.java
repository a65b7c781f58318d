package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BlockCacheTest {
    private final CountingBackend backend = new CountingBackend();
    private final BlockCache cache = new BlockCache(backend, false);

    private BlockCache.Block allocate(long bytes) {
        return cache.allocate(bytes, "a test");
    }

    @AfterEach
    void givesEverythingBack() {
        cache.trim();
        assertEquals(0, cache.liveBlocks(), "a test left blocks");
        assertEquals(0, cache.reservedBytes());
        assertEquals(backend.allocated.size(), backend.freed.size());
    }

    @Test
    void sizeClassesHaveFourStepsPerPowerOfTwo() {
        assertEquals(256, BlockCache.sizeClass(1));
        assertEquals(256, BlockCache.sizeClass(256));
        assertEquals(320, BlockCache.sizeClass(257));
        assertEquals(384, BlockCache.sizeClass(321));
        assertEquals(448, BlockCache.sizeClass(400));
        assertEquals(512, BlockCache.sizeClass(449));
        assertEquals(640, BlockCache.sizeClass(513));
        assertEquals(5L << 40, BlockCache.sizeClass((1L << 42) + 1));
    }

    @Test
    void aSizeClassWastesAtMostAFifth() {
        for (long bytes = 257; bytes < 1 << 21; bytes += 1 + bytes / 97) {
            long size = BlockCache.sizeClass(bytes);
            assertTrue(size >= bytes && size - bytes <= size / 5, bytes + " bytes take " + size);
            assertEquals(0, size % 64, "sizes stay multiples of a cache line");
            assertEquals(size, BlockCache.sizeClass(size), "a size class is its own");
        }
    }

    @Test
    void freedBlocksAreHandedOutAgain() {
        BlockCache.Block first = allocate(1000);
        cache.free(first);
        BlockCache.Block second = allocate(900);
        assertEquals(first, second);
        assertEquals(List.of(1024L), backend.allocated);
        cache.free(second);
    }

    @Test
    void idleBlocksUpToTwiceTheSizeAreTaken() {
        BlockCache.Block large = allocate(2048);
        cache.free(large);
        BlockCache.Block small = allocate(1024);
        assertEquals(large, small);
        BlockCache.Block other = allocate(1024);
        assertEquals(1024, other.size());
        cache.free(small);
        cache.free(other);
        BlockCache.Block smaller = allocate(400);
        assertEquals(448, smaller.size(), "blocks of more than twice the size are left for others");
        cache.free(smaller);
    }

    @Test
    void theSmallestFittingBlockIsTaken() {
        List<BlockCache.Block> blocks = new ArrayList<>();
        for (long bytes : new long[]{1024, 1280, 1536}) {
            blocks.add(allocate(bytes));
        }
        blocks.reversed().forEach(cache::free);
        BlockCache.Block taken = allocate(1200);
        assertEquals(blocks.get(1), taken);
        cache.free(taken);
    }

    @Test
    void blocksInUseAreNotSharedOut() {
        BlockCache.Block first = allocate(512);
        BlockCache.Block second = allocate(512);
        assertNotEquals(first.address(), second.address());
        cache.free(first);
        cache.free(second);
    }

    @Test
    void accountsForLiveAndReservedBytes() {
        BlockCache.Block first = allocate(512);
        BlockCache.Block second = allocate(300);
        assertEquals(2, cache.liveBlocks());
        assertEquals(512 + 320, cache.liveBytes());
        assertEquals(512 + 320, cache.reservedBytes());
        cache.free(first);
        assertEquals(1, cache.liveBlocks());
        assertEquals(320, cache.liveBytes());
        assertEquals(512 + 320, cache.reservedBytes());
        cache.trim();
        assertEquals(320, cache.reservedBytes());
        assertEquals(List.of(first.address()), backend.freed, "trimming spares what is in use");
        cache.free(second);
    }

    @Test
    void idleBlocksMakeRoomWhenTheBackendHasNone() {
        backend.capacity = 2;
        BlockCache.Block used = allocate(300);
        BlockCache.Block idle = allocate(300);
        cache.free(idle);
        BlockCache.Block large = allocate(5000);
        assertEquals(List.of(idle.address()), backend.freed, "what is in use stays");
        UserException e = assertThrows(UserException.class, () -> allocate(5000), "asked once more, not for ever");
        assertTrue(
                e.getMessage().startsWith("there is no memory for a test, 5,000 bytes: 5,440 are in use by 2 tensors, "
                        + "and then all 2 blocks are in use; use smaller batches"),
                e.getMessage());
        assertEquals(2, cache.liveBlocks());
        assertEquals(320 + 5120, cache.reservedBytes());
        cache.free(used);
        cache.free(large);
    }

    @Test
    void exactBlocksAreNotKept() {
        BlockCache exact = new BlockCache(backend, true);
        BlockCache.Block block = exact.allocate(100, "a test");
        assertEquals(100, block.size());
        assertEquals(100, exact.reservedBytes());
        exact.free(block);
        assertEquals(0, exact.reservedBytes());
        assertEquals(List.of(block.address()), backend.freed);
    }

    @Test
    void threadsMayShareIt() throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            int seed = t;
            threads.add(Thread.ofPlatform().start(() -> {
                for (int i = 0; i < 2000; i++) {
                    BlockCache.Block block = allocate(1 + (Philox.bits(seed, 0, 0, i) >>> 20));
                    Memory.setInt(block.address(), seed);
                    if (Memory.getInt(block.address()) == seed) {
                        cache.free(block);
                    }
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(0, cache.liveBlocks(), "a block was handed to two threads");
        assertEquals(0, cache.liveBytes());
    }
}
