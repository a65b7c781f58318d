package io.mixt5.kernels.emulator.sanitizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mixt5.kernels.emulator.Fault;
import io.mixt5.kernels.emulator.Launch;
import io.mixt5.kernels.emulator.Monitor.Access;
import io.mixt5.kernels.emulator.Monitor.Space;
import io.mixt5.kernels.emulator.Monitor.Work;
import io.mixt5.kernels.emulator.WarpView;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The sanitizer told by hand what happens, access by access. */
class SanitizerTest {
    private static final long DEVICE = 0x7_0000_0000L;
    private static final int SYNCWARP = 900;
    private static final String MISSING = "; a __syncthreads or, within a warp, a __syncwarp is missing between the"
            + " two";

    private static final String SO_FAR = " so far; if another thread is to, a __syncthreads is missing";

    private final Sanitizer sanitizer = new Sanitizer();
    private final Launch launch = new Launch("m.ptx", "k", 2, 1, 1, 96, 1, 1, 256);
    private int block;

    private record Warp(Launch launch, long block, int index, int live) implements WarpView {
    }

    @BeforeEach
    void start() {
        sanitizer.allocated(DEVICE, 1 << 16);
        sanitizer.launchStarted(launch);
        block(0);
    }

    private void block(int started) {
        block = started;
        sanitizer.blockStarted(launch, started);
        sanitizer.executed(warp(0), SYNCWARP, "bar.warp.sync", Work.BARRIER, -1);
    }

    private WarpView warp(int index) {
        return new Warp(launch, block, index, -1);
    }

    private void access(Space space, Access access, int thread, int line, long address, int bytes) {
        long[] addresses = new long[32];
        addresses[thread % 32] = address;
        sanitizer.accessed(warp(thread / 32), line, space, access, 1 << thread % 32, addresses, bytes);
    }

    private void read(int thread, int line, long address, int bytes) {
        access(Space.SHARED, Access.READ, thread, line, address, bytes);
    }

    private void write(int thread, int line, long address, int bytes) {
        access(Space.SHARED, Access.WRITE, thread, line, address, bytes);
    }

    private void barrier(int... masks) {
        sanitizer.barrierPassed(launch, block, 0, masks, 0);
    }

    private void syncwarp(int warp, int mask) {
        sanitizer.warpSynchronised(warp(warp), SYNCWARP, mask);
    }

    private void fails(Runnable what, int line, int thread, String message) {
        fails(what, "kernel k of m.ptx, PTX line " + line + ", block (" + block + ", 0, 0), thread (" + thread
                + ", 0, 0): " + message);
    }

    private static void fails(Runnable what, String message) {
        Fault fault = assertThrows(Fault.class, what::run);
        assertEquals(message, fault.getMessage());
        assertEquals(Fault.Kind.LAUNCH_FAILED, fault.kind());
    }

    @Test
    void readsOfWhatNobodyWrote() {
        fails(() -> read(3, 7, 8, 4), 7, 3, "reads byte 8 of shared memory, which nothing has written" + SO_FAR);
        write(3, 8, 8, 4);
        read(3, 9, 8, 4);
        fails(() -> read(3, 9, 8, 8), 9, 3, "reads byte 12 of shared memory, which nothing has written" + SO_FAR);
        fails(() -> access(Space.LOCAL, Access.READ, 1, 5, 4, 4), 5, 1,
                "reads byte 4 of its local memory, which nothing has written");
        access(Space.LOCAL, Access.WRITE, 0, 5, 4, 4);
        fails(() -> access(Space.LOCAL, Access.READ, 1, 5, 4, 4), 5, 1,
                "reads byte 4 of its local memory, which nothing has written");
        access(Space.LOCAL, Access.READ, 0, 5, 4, 4);
        fails(() -> access(Space.GLOBAL, Access.ATOMIC, 1, 6, DEVICE + 4, 4), 6, 1,
                "updates byte 4 of the 65536 allocated at 0x700000000, which nothing has written");
    }

    @Test
    void hostsAndCopiesWriteDeviceMemory() {
        sanitizer.hostWrote(DEVICE, 6);
        access(Space.GLOBAL, Access.READ, 0, 1, DEVICE + 4, 2);
        fails(() -> access(Space.GLOBAL, Access.READ, 0, 1, DEVICE + 4, 4), 1, 0,
                "reads byte 6 of the 65536 allocated at 0x700000000, which nothing has written");
        sanitizer.allocated(DEVICE + (1 << 20), 100);
        sanitizer.deviceCopied(DEVICE + 2, DEVICE + (1 << 20), 8);
        access(Space.GLOBAL, Access.READ, 0, 1, DEVICE + (1 << 20), 4);
        fails(() -> access(Space.GLOBAL, Access.READ, 0, 1, DEVICE + (1 << 20) + 4, 4), 1, 0,
                "reads byte 4 of the 100 allocated at 0x700100000, which nothing has written");
        // What is copied into memory may hold less than was there.
        sanitizer.deviceCopied(DEVICE + 6, DEVICE, 4);
        fails(() -> access(Space.GLOBAL, Access.READ, 0, 1, DEVICE, 4), 1, 0,
                "reads byte 0 of the 65536 allocated at 0x700000000, which nothing has written");
    }

    @Test
    void memoryIsForgottenWithItsOwner() {
        write(0, 1, 0, 4);
        access(Space.LOCAL, Access.WRITE, 0, 1, 0, 4);
        block(1);
        fails(() -> read(0, 2, 0, 4), 2, 0, "reads byte 0 of shared memory, which nothing has written" + SO_FAR);
        fails(() -> access(Space.LOCAL, Access.READ, 0, 2, 0, 4), 2, 0,
                "reads byte 0 of its local memory, which nothing has written");
        sanitizer.hostWrote(DEVICE, 4);
        sanitizer.freed(DEVICE, 1 << 16);
        sanitizer.allocated(DEVICE, 16);
        fails(() -> access(Space.GLOBAL, Access.READ, 0, 3, DEVICE, 4), 3, 0,
                "reads byte 0 of the 16 allocated at 0x700000000, which nothing has written");
    }

    @Test
    void readAfterWrite() {
        write(0, 10, 16, 4);
        String message = "reads byte 16 of shared memory, which thread (0, 0, 0) at line 10 wrote" + MISSING;
        fails(() -> read(40, 11, 16, 4), 11, 40, message);
        fails(() -> read(1, 11, 16, 4), 11, 1, message);
        read(0, 12, 16, 4);
        barrier(-1, -1, -1);
        read(40, 13, 16, 4);
    }

    @Test
    void writeAfterRead() {
        write(0, 10, 16, 4);
        barrier(-1, -1, -1);
        read(5, 11, 16, 4);
        String message = "writes byte 16 of shared memory, which thread (5, 0, 0) at line 11 read" + MISSING;
        fails(() -> write(6, 12, 16, 4), 12, 6, message);
        write(5, 12, 16, 4);
        barrier(-1, -1, -1);
        read(5, 13, 16, 4);
        read(6, 13, 16, 4);
        barrier(-1, -1, -1);
        write(6, 14, 16, 4);
    }

    /** The thread that writes is the one that read last. */
    @Test
    void writeAfterReadsOfTwo() {
        write(0, 10, 16, 4);
        barrier(-1, -1, -1);
        read(5, 11, 16, 4);
        read(6, 11, 16, 4);
        fails(() -> write(6, 12, 16, 4), 12, 6,
                "writes byte 16 of shared memory, which thread (5, 0, 0) at line 11 read" + MISSING);
        fails(() -> write(5, 12, 16, 4), 12, 5,
                "writes byte 16 of shared memory, which thread (6, 0, 0) at line 11 read" + MISSING);
    }

    @Test
    void writeAfterWrite() {
        write(0, 10, 16, 4);
        fails(() -> write(95, 12, 16, 4), 12, 95,
                "writes byte 16 of shared memory, which thread (0, 0, 0) at line 10 wrote" + MISSING);
        long[] addresses = new long[32];
        fails(() -> sanitizer.accessed(warp(0), 20, Space.SHARED, Access.WRITE, 3, addresses, 4), 20, 1,
                "writes byte 0 of shared memory, which thread (0, 0, 0) at line 20 wrote" + MISSING);
    }

    @Test
    void neighboursDoNotRace() {
        write(0, 10, 16, 4);
        write(40, 10, 20, 4);
        write(1, 10, 24, 2);
        write(41, 10, 26, 1);
        write(2, 10, 27, 1);
        fails(() -> write(3, 11, 24, 4), 11, 3,
                "writes byte 24 of shared memory, which thread (1, 0, 0) at line 10 wrote" + MISSING);
        fails(() -> write(1, 11, 26, 2), 11, 1,
                "writes byte 26 of shared memory, which thread (41, 0, 0) at line 10 wrote" + MISSING);
    }

    @Test
    void atomicsRaceWithPlainAccessesOnly() {
        write(0, 10, 16, 4);
        barrier(-1, -1, -1);
        access(Space.SHARED, Access.ATOMIC, 1, 11, 16, 4);
        access(Space.SHARED, Access.ATOMIC, 50, 11, 16, 4);
        fails(() -> read(2, 12, 16, 4), 12, 2,
                "reads byte 16 of shared memory, which thread (50, 0, 0) at line 11 updated" + MISSING);
        fails(() -> write(2, 12, 16, 4), 12, 2,
                "writes byte 16 of shared memory, which thread (50, 0, 0) at line 11 updated" + MISSING);
        barrier(-1, -1, -1);
        read(2, 13, 16, 4);
        fails(() -> access(Space.SHARED, Access.ATOMIC, 1, 14, 16, 4), 14, 1,
                "updates byte 16 of shared memory, which thread (2, 0, 0) at line 13 read" + MISSING);
    }

    @Test
    void syncwarpOrdersItsWarpOnly() {
        write(0, 10, 16, 4);
        write(33, 10, 20, 4);
        syncwarp(0, -1);
        read(31, 11, 16, 4);
        String missing = " of shared memory, which thread (33, 0, 0) at line 10 wrote" + MISSING;
        fails(() -> read(0, 11, 20, 4), 11, 0, "reads byte 20" + missing);
        fails(() -> read(34, 11, 20, 4), 11, 34, "reads byte 20" + missing);
        // A shuffle orders nothing.
        sanitizer.warpSynchronised(warp(1), 77, -1);
        fails(() -> read(34, 11, 20, 4), 11, 34, "reads byte 20" + missing);
    }

    @Test
    void partsOfAWarpSynchronise() {
        write(0, 10, 16, 4);
        syncwarp(0, 0b0011);
        read(1, 11, 16, 4);
        fails(() -> read(2, 12, 16, 4), 12, 2,
                "reads byte 16 of shared memory, which thread (0, 0, 0) at line 10 wrote" + MISSING);
        // Lane 1 has waited for lane 0, and lane 2 for lane 1.
        syncwarp(0, 0b0110);
        read(2, 13, 16, 4);
        fails(() -> read(3, 14, 16, 4), 14, 3,
                "reads byte 16 of shared memory, which thread (0, 0, 0) at line 10 wrote" + MISSING);
        syncwarp(0, -1);
        read(3, 15, 16, 4);
        // Lanes 2 and 3 meet, without lane 0 that has written since they met it.
        write(0, 16, 20, 4);
        syncwarp(0, 0b1100);
        fails(() -> read(3, 17, 20, 4), 17, 3,
                "reads byte 20 of shared memory, which thread (0, 0, 0) at line 16 wrote" + MISSING);
    }

    @Test
    void barriersOfSomeWarps() {
        write(0, 10, 16, 4);
        syncwarp(0, -1);
        sanitizer.barrierPassed(launch, 0, 1, new int[]{0xff00, -1, 0}, 0);
        // Thread 8 knows of thread 0 by the __syncwarp, and tells the second warp.
        read(40, 11, 16, 4);
        write(40, 11, 20, 4);
        read(8, 11, 16, 4);
        fails(() -> read(64, 12, 16, 4), 12, 64,
                "reads byte 16 of shared memory, which thread (0, 0, 0) at line 10 wrote" + MISSING);
        fails(() -> read(8, 12, 20, 4), 12, 8,
                "reads byte 20 of shared memory, which thread (40, 0, 0) at line 11 wrote" + MISSING);
        // Those that have exited need not come.
        sanitizer.barrierPassed(launch, 0, 0, new int[]{-1, -1, 0}, 32);
        read(8, 13, 20, 4);
    }

    @Test
    void blocksRaceInDeviceMemory() {
        access(Space.GLOBAL, Access.WRITE, 0, 10, DEVICE + 64, 4);
        fails(() -> access(Space.GLOBAL, Access.READ, 1, 11, DEVICE + 64, 4), 11, 1, "reads byte 64 of the 65536"
                + " allocated at 0x700000000, which thread (0, 0, 0) at line 10 wrote" + MISSING);
        barrier(-1, -1, -1);
        access(Space.GLOBAL, Access.READ, 1, 11, DEVICE + 64, 4);
        block(1);
        fails(() -> access(Space.GLOBAL, Access.WRITE, 0, 12, DEVICE + 64, 4), 12, 0,
                "writes byte 64 of the 65536 allocated at 0x700000000, which thread (0, 0, 0) of block (0, 0, 0) at"
                        + " line 10 wrote; blocks of one launch run in any order");
        barrier(-1, -1, -1);
        assertThrows(Fault.class, () -> access(Space.GLOBAL, Access.READ, 0, 12, DEVICE + 64, 4));
        // The next launch comes after this one.
        sanitizer.launchStarted(launch);
        block(0);
        access(Space.GLOBAL, Access.READ, 0, 12, DEVICE + 64, 4);
    }

    @Test
    void atomicsOrderBlocks() {
        sanitizer.hostWrote(DEVICE, 4);
        access(Space.GLOBAL, Access.WRITE, 0, 10, DEVICE + 64, 4);
        barrier(-1, -1, -1);
        access(Space.GLOBAL, Access.ATOMIC, 0, 11, DEVICE, 4);
        access(Space.GLOBAL, Access.WRITE, 0, 12, DEVICE + 68, 4);
        block(1);
        assertThrows(Fault.class, () -> access(Space.GLOBAL, Access.READ, 5, 13, DEVICE + 64, 4));
        access(Space.GLOBAL, Access.ATOMIC, 0, 11, DEVICE, 4);
        access(Space.GLOBAL, Access.READ, 5, 13, DEVICE + 64, 4);
        // Written after the first block's atomic.
        assertThrows(Fault.class, () -> access(Space.GLOBAL, Access.READ, 5, 13, DEVICE + 68, 4));
    }

    private void copy(int thread, int line, long shared, int bytes, int read) {
        long[] to = new long[32];
        long[] from = new long[32];
        int[] counts = new int[32];
        to[thread % 32] = shared;
        from[thread % 32] = DEVICE;
        counts[thread % 32] = read;
        sanitizer.copyIssued(warp(thread / 32), line, 1 << thread % 32, to, from, bytes, counts);
    }

    @Test
    void copiesAreWaitedFor() {
        sanitizer.hostWrote(DEVICE, 16);
        copy(3, 20, 32, 16, 16);
        String waiting = "byte 44 of shared memory, which the cp.async of thread (3, 0, 0) at line 20 may still be"
                + " writing; wait for it by cp.async.wait_group, and let threads other than its own wait at a"
                + " __syncthreads after that";
        fails(() -> read(3, 21, 44, 4), 21, 3, "reads " + waiting);
        fails(() -> write(4, 21, 44, 4), 21, 4, "writes " + waiting);
        sanitizer.copied(warp(0), 3, 32, 16);
        read(3, 22, 44, 4);
        fails(() -> read(4, 23, 44, 4), 23, 4,
                "reads byte 44 of shared memory, which thread (3, 0, 0) at line 20 wrote" + MISSING);
        barrier(-1, -1, -1);
        read(4, 24, 44, 4);
        fails(() -> copy(3, 25, 32, 16, 16), 25, 3,
                "writes byte 32 of shared memory, which thread (4, 0, 0) at line 24 read" + MISSING);
    }

    @Test
    void copiesReadDeviceMemory() {
        sanitizer.hostWrote(DEVICE, 6);
        copy(3, 20, 32, 16, 0);
        copy(3, 20, 48, 16, 6);
        fails(() -> copy(3, 21, 64, 8, 8), 21, 3,
                "reads byte 6 of the 65536 allocated at 0x700000000, which nothing has written");
    }

    @Test
    void barriersAreTheSameForAll() {
        sanitizer.barrierReached(warp(0), 30, 0, 0xffff);
        sanitizer.barrierReached(warp(1), 30, 0, -1);
        fails(() -> sanitizer.barrierReached(warp(0), 40, 0, 0xffff0000), 40, 16,
                "waits at a __syncthreads while other threads of the block wait at another one, at line 30; all threads"
                        + " of a block must come to the same one");
        barrier(-1, -1, -1);
        sanitizer.barrierReached(warp(0), 40, 0, -1);
        // Barriers with a name may be waited for at several places.
        sanitizer.barrierReached(warp(1), 50, 1, -1);
        sanitizer.barrierReached(warp(2), 51, 1, -1);
    }

    @Test
    void shufflesTakeFromThosePresent() {
        int[] sources = new int[32];
        Arrays.setAll(sources, lane -> lane ^ 16);
        sanitizer.shuffled(warp(1), 60, -1, -1, sources);
        sanitizer.shuffled(warp(1), 60, 0x00010001, 0x00010001, sources);
        fails(() -> sanitizer.shuffled(warp(1), 60, 0xffff, 0xffff, sources), 60, 32,
                "takes a value from lane 16, which does not take part in the shuffle; lanes 0xffff do");
    }
}
