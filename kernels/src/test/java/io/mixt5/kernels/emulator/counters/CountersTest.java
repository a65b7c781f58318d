package io.mixt5.kernels.emulator.counters;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.kernels.emulator.Launch;
import io.mixt5.kernels.emulator.Monitor.Access;
import io.mixt5.kernels.emulator.Monitor.Space;
import io.mixt5.kernels.emulator.Monitor.Work;
import io.mixt5.kernels.emulator.WarpView;
import java.util.Map;
import java.util.function.IntToLongFunction;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Counters told by hand what happens, against figures worked out by hand. */
class CountersTest {
    private static final long BASE = 0x7_0000_0000L;
    private static final int ALL = -1;

    private final Counters counters = new Counters();
    private final Launch launch = new Launch("m.ptx", "k", 1, 1, 1, 32, 1, 1, 4096);
    private final WarpView warp = new Warp(launch, 0, 0, ALL);

    private record Warp(Launch launch, long block, int index, int live) implements WarpView {
    }

    @BeforeEach
    void start() {
        counters.launchStarted(launch);
    }

    private static long[] lanes(IntToLongFunction address) {
        long[] addresses = new long[32];
        for (int lane = 0; lane < 32; lane++) {
            addresses[lane] = address.applyAsLong(lane);
        }
        return addresses;
    }

    private void global(Access access, int mask, int bytes, IntToLongFunction offset) {
        counters.accessed(warp, 1, Space.GLOBAL, access, mask, lanes(lane -> BASE + offset.applyAsLong(lane)), bytes);
    }

    private void shared(Access access, int mask, int bytes, IntToLongFunction address) {
        counters.accessed(warp, 1, Space.SHARED, access, mask, lanes(address), bytes);
    }

    private KernelCounters result() {
        counters.launchEnded(launch);
        return counters.kernels().get("k");
    }

    private void checkGlobal(long read, long written, long distinctRead, long distinctWritten, long requests,
            long sectors, long ideal) {
        assertEquals(new GlobalTraffic(read, written, distinctRead, distinctWritten, requests, sectors, ideal),
                result().global());
    }

    private void checkShared(long bytes, long phases, long wavefronts) {
        assertEquals(new SharedTraffic(bytes, phases, wavefronts), result().shared());
    }

    @Test
    void coalescedFloats() {
        global(Access.READ, ALL, 4, lane -> 4 * lane);
        checkGlobal(128, 0, 128, 0, 1, 4, 4);
    }

    /** 128 bytes that begin in the middle of a sector touch five. */
    @Test
    void floatsThatBeginBetweenSectors() {
        global(Access.READ, ALL, 4, lane -> 16 + 4 * lane);
        checkGlobal(128, 0, 128, 0, 1, 5, 4);
    }

    @Test
    void aFloatOfEachRow() {
        global(Access.WRITE, ALL, 4, lane -> 1024 * lane);
        checkGlobal(0, 128, 0, 128, 1, 32, 4);
        assertEquals(0.125, result().global().coalescing());
    }

    @Test
    void broadcast() {
        global(Access.READ, ALL, 4, lane -> 8);
        checkGlobal(128, 0, 4, 0, 1, 1, 1);
    }

    @Test
    void vectorsAndHalves() {
        global(Access.READ, ALL, 16, lane -> 16 * lane);
        global(Access.READ, ALL, 2, lane -> 4096 + 2 * lane);
        global(Access.READ, 0b111, 2, lane -> 4096 + 2 * lane);
        checkGlobal(512 + 64 + 6, 0, 512 + 64, 0, 3, 16 + 2 + 1, 16 + 2 + 1);
    }

    @Test
    void atomicsReadAndWrite() {
        global(Access.ATOMIC, ALL, 4, lane -> 4 * (lane % 2));
        checkGlobal(128, 128, 8, 8, 1, 1, 1);
    }

    /** A second launch must move its bytes again. */
    @Test
    void bytesAreDistinctWithinALaunch() {
        global(Access.READ, ALL, 4, lane -> 4 * lane);
        global(Access.READ, ALL, 4, lane -> 4 * lane);
        global(Access.WRITE, ALL, 4, lane -> 4 * lane);
        counters.launchEnded(launch);
        counters.launchStarted(launch);
        global(Access.READ, ALL, 4, lane -> 4 * lane);
        KernelCounters result = result();
        assertEquals(new GlobalTraffic(384, 128, 256, 128, 4, 16, 16), result.global());
        assertEquals(512.0 / 384, result.global().movedOverLeast());
        assertEquals(2, result.launches());
    }

    @Test
    void sharedWordsInARow() {
        shared(Access.READ, ALL, 4, lane -> 4 * lane);
        shared(Access.WRITE, ALL, 2, lane -> 2 * lane);
        shared(Access.READ, ALL, 4, lane -> 64);
        checkShared(128 + 64 + 128, 3, 3);
        assertEquals(1, result().shared().ways());
    }

    /** A column of a tile of 32 floats a row is in one bank; a row more than that long spreads it. */
    @Test
    void sharedColumns() {
        shared(Access.READ, ALL, 4, lane -> 128 * lane);
        checkShared(128, 1, 32);
        counters.clear();
        start();
        shared(Access.READ, ALL, 4, lane -> 132 * lane);
        shared(Access.READ, ALL, 4, lane -> 8 * lane);
        checkShared(256, 2, 3);
        assertEquals(1.5, result().shared().ways());
    }

    /** Half a warp at once: two lanes' 8 bytes that are 128 apart conflict within a half, not between halves. */
    @Test
    void sharedPairs() {
        shared(Access.READ, ALL, 8, lane -> 8 * lane);
        shared(Access.READ, ALL, 8, lane -> 8 * (lane % 16));
        checkShared(512, 4, 4);
        counters.clear();
        start();
        shared(Access.READ, ALL, 8, lane -> 16 * lane);
        checkShared(256, 2, 4);
    }

    /** A quarter of a warp at once, as ldmatrix takes eight rows at once. */
    @Test
    void sharedQuadruples() {
        shared(Access.READ, ALL, 16, lane -> 16 * lane);
        checkShared(512, 4, 4);
        counters.clear();
        start();
        // Rows of 64 bytes: lanes 0, 2, 4 and 6 of each quarter meet in the same banks, and so do the others.
        shared(Access.READ, ALL, 16, lane -> 64 * lane);
        checkShared(512, 4, 16);
        counters.clear();
        start();
        // Rows of 80 bytes do not: 0, 20, 8, 28, 16, 4, 24, 12 are the banks they begin in.
        shared(Access.READ, 0xff00, 16, lane -> 80 * lane);
        checkShared(128, 1, 1);
    }

    @Test
    void sharedAtomicsOfAWordTakeTurns() {
        shared(Access.ATOMIC, 0xff, 4, lane -> 0);
        checkShared(32, 1, 8);
    }

    @Test
    void copiesReadDeviceMemoryAndWriteSharedMemory() {
        int[] read = new int[32];
        for (int lane = 0; lane < 24; lane++) {
            read[lane] = 16;
        }
        counters.copyIssued(warp, 1, ALL, lanes(lane -> 16 * lane), lanes(lane -> BASE + 16 * lane), 16, read);
        checkGlobal(384, 0, 384, 0, 1, 12, 12);
        assertEquals(new SharedTraffic(512, 4, 4), counters.kernels().get("k").shared());
    }

    @Test
    void instructionsByKind() {
        counters.executed(warp, 1, "add.f32", Work.FLOAT, ALL);
        counters.executed(warp, 2, "add.f32", Work.FLOAT, 0xffff);
        counters.executed(warp, 3, "ldmatrix.sync.aligned.m8n8.x4.shared.b16", Work.MATRIX, ALL);
        counters.executed(warp, 4, "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32", Work.MATRIX, ALL);
        counters.branched(warp, 5, ALL, ALL);
        counters.branched(warp, 5, ALL, 0);
        counters.branched(warp, 5, ALL, 1);
        counters.branched(warp, 5, 0xff, 0xff);
        counters.accessed(warp, 6, Space.LOCAL, Access.WRITE, 0b11, new long[32], 8);
        KernelCounters result = result();
        assertEquals(Map.of(Work.FLOAT, 2L, Work.MATRIX, 2L), result.instructions());
        assertEquals(4, result.warpInstructions());
        assertEquals(0.5, result.share(Work.MATRIX));
        assertEquals(0, result.share(Work.DOUBLE));
        assertEquals(0.25, result.matrixShare());
        assertEquals((32 + 16 + 32 + 32) / 128.0, result.activity());
        assertEquals(0.25, result.divergence());
        assertEquals(16, result.localBytes());
    }

    @Test
    void nothingIsNoTrouble() {
        KernelCounters result = result();
        assertEquals(1, result.global().movedOverLeast());
        assertEquals(1, result.global().coalescing());
        assertEquals(1, result.shared().ways());
        assertEquals(0, result.activity());
        assertEquals(0, result.divergence());
        counters.clear();
        assertEquals(Map.of(), counters.kernels());
    }

    @Test
    void kernelsAreCountedByThemselves() {
        counters.executed(warp, 1, "add.f32", Work.FLOAT, ALL);
        counters.launchEnded(launch);
        counters.launchStarted(new Launch("m.ptx", "another", 1, 1, 1, 32, 1, 1, 0));
        counters.executed(warp, 1, "add.f32", Work.FLOAT, ALL);
        counters.executed(warp, 1, "add.f32", Work.FLOAT, ALL);
        assertEquals(2, counters.kernels().get("another").warpInstructions());
        assertEquals(1, counters.kernels().get("k").warpInstructions());
    }
}
