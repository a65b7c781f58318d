package io.mixt5.kernels.emulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.ffm.cuda.CudaException;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Warps of a block and their barriers, blocks of a grid and their order. */
class BlockTest {
    @Test
    void barriersOrderSharedMemory() {
        String ptx = Ptx.kernel("""
                .shared .align 4 .b8 values[1024];
                mov.u32 %r0, values;
                mad.lo.s32 %r1, %tid, 4, %r0;
                st.shared.u32 [%r1], %tid;
                bar.sync 0;
                sub.s32 %r2, 255, %tid;
                mad.lo.s32 %r1, %r2, 4, %r0;
                ld.shared.u32 %r3, [%r1];
                st.global.u32 [%mine], %r3;
                """);
        assertArrayEquals(IntStream.range(0, 256).map(tid -> 255 - tid).toArray(), Ptx.run(256, ptx));
    }

    @Test
    void barriersReducePredicates() {
        String ptx = Ptx.kernel("""
                setp.lt.u32 %p0, %tid, 40;
                bar.red.popc.u32 %r0, 0, %p0;
                bar.red.and.pred %p1, 0, %p0;
                bar.red.or.pred %p2, 0, %p0;
                bar.red.and.pred %p3, 0, !%p1;
                selp.b32 %r1, 1000, 0, %p1;
                selp.b32 %r2, 2000, 0, %p2;
                selp.b32 %r3, 4000, 0, %p3;
                add.s32 %r0, %r0, %r1; add.s32 %r0, %r0, %r2; add.s32 %r0, %r0, %r3;
                st.global.u32 [%mine], %r0;
                """);
        int[] results = Ptx.run(100, ptx);
        assertTrue(Arrays.stream(results).allMatch(result -> result == 6040), Arrays.toString(results));
    }

    /** The first two warps meet at barrier 1 while the third runs on; it hands them a number at barrier 2. */
    @Test
    void barriersHaveNumbersAndCounts() {
        String ptx = Ptx.kernel("""
                .shared .align 4 .u32 shared;
                setp.ge.u32 %p0, %tid, 64;
                @%p0 bra THIRD;
                bar.sync 1, 64;
                bar.sync 2, 96;
                ld.shared.u32 %r0, [shared];
                st.global.u32 [%mine], %r0;
                bra.uni END;
                THIRD:
                mov.u32 %r0, 5;
                st.shared.u32 [shared], %r0;
                bar.arrive 2, 96;
                END:
                """);
        int[] results = Ptx.run(96, ptx);
        assertArrayEquals(IntStream.range(0, 96).map(tid -> tid < 64 ? 5 : 0).toArray(), results);
    }

    @Test
    void threadsThatHaveExitedAreNotWaitedFor() {
        String ptx = Ptx.kernel("""
                setp.ge.u32 %p0, %tid, 40;
                @%p0 exit;
                bar.sync 0;
                mov.u32 %r0, 3;
                st.global.u32 [%mine], %r0;
                """);
        assertArrayEquals(IntStream.range(0, 96).map(tid -> tid < 40 ? 3 : 0).toArray(), Ptx.run(96, ptx));
    }

    @Test
    void aBarrierThatNotAllReachIsTold() {
        String ptx = Ptx.kernel("""
                setp.lt.u32 %p0, %tid, 32;
                @%p0 bra FIRST;
                bar.sync 1;
                bra.uni END;
                FIRST: bar.sync 0;
                END:
                """);
        CudaException failure = assertThrows(CudaException.class, () -> Ptx.run(64, ptx));
        assertTrue(failure.getMessage().contains("is reached by 32 threads"), failure.getMessage());
    }

    @Test
    void blocksAndThreadsHaveThreeDimensions() {
        String ptx = Ptx.kernel("""
                mov.u32 %r0, %ctaid.x; mov.u32 %r1, %ctaid.y; mov.u32 %r2, %ctaid.z;
                mov.u32 %r3, %nctaid.x; mov.u32 %r4, %nctaid.y;
                mad.lo.s32 %r2, %r2, %r4, %r1;
                mad.lo.s32 %r0, %r2, %r3, %r0;
                mov.u32 %r5, %tid.y; mov.u32 %r6, %tid.z; mov.u32 %r7, %ntid.x; mov.u32 %r8, %ntid.y;
                mov.u32 %r9, %ntid.z;
                mad.lo.s32 %r6, %r6, %r8, %r5;
                mad.lo.s32 %r6, %r6, %r7, %tid;
                mul.lo.s32 %r10, %r7, %r8; mul.lo.s32 %r10, %r10, %r9;
                mad.lo.s32 %r0, %r0, %r10, %r6;
                mul.wide.s32 %d0, %r0, 4;
                add.s64 %d0, %d0, %out;
                mov.u32 %r11, %laneid; mov.u32 %r12, %warpid; mad.lo.s32 %r11, %r12, 32, %r11;
                mad.lo.s32 %r11, %r0, 100, %r11;
                st.global.u32 [%d0], %r11;
                """);
        try (TestDevice device = new TestDevice()) {
            int count = 2 * 3 * 4 * 5 * 4 * 3;
            long out = device.put(new int[count]);
            device.load(ptx).launch("probe", new int[]{2, 3, 4}, new int[]{5, 4, 3}, 0, out, 0L);
            assertArrayEquals(IntStream.range(0, count).map(i -> 100 * i + i % 60).toArray(), device.ints(out, count));
        }
    }

    /** Blocks write who was last; in order that is the last one, otherwise another, and always the same for a seed. */
    @Test
    void anOrderIsChosenBySeed() {
        String ptx = Ptx.kernel("""
                mov.u32 %r0, %ctaid.x;
                atom.global.exch.b32 %r1, [%out], %r0;
                """);
        int[] lasts = new int[6];
        for (int seed = 0; seed < 6; seed++) {
            lasts[seed] = last(ptx, EmulatorSettings.DEFAULT.withOrder(seed));
            assertEquals(lasts[seed], last(ptx, EmulatorSettings.DEFAULT.withOrder(seed)));
        }
        assertEquals(99, last(ptx, EmulatorSettings.DEFAULT));
        assertNotEquals(1, Arrays.stream(lasts).distinct().count());
    }

    private static int last(String ptx, EmulatorSettings settings) {
        try (TestDevice device = new TestDevice(settings)) {
            long out = device.put(0);
            device.load(ptx).launch("probe", 100, 32, out, 0L);
            return device.ints(out, 1)[0];
        }
    }

    /** Warps without a barrier between them: which one is last shows the order that they ran in. */
    @Test
    void warpsArePermutedToo() {
        String ptx = Ptx.kernel("mov.u32 %r0, %warpid;\nst.global.u32 [%out], %r0;");
        int[] lasts = IntStream.range(0, 8).map(seed -> {
            try (TestDevice device = new TestDevice(EmulatorSettings.DEFAULT.withOrder(seed))) {
                long out = device.put(0);
                device.load(ptx).launch("probe", 1, 512, out, 0L);
                return device.ints(out, 1)[0];
            }
        }).toArray();
        assertNotEquals(1, Arrays.stream(lasts).distinct().count());
    }

    /** The first faulty block is the one told of, however many threads run blocks. */
    @Test
    void theFirstFaultIsTold() {
        String ptx = Ptx.kernel("""
                mov.u32 %r0, %ctaid.x;
                setp.lt.u32 %p0, %r0, 37;
                @%p0 bra END;
                trap;
                END:
                """);
        for (int round = 0; round < 20; round++) {
            try (TestDevice device = new TestDevice()) {
                CudaException failure = assertThrows(CudaException.class,
                        () -> device.load(ptx).launch("probe", 300, 32, 0L, 0L));
                assertTrue(failure.getMessage().contains("block (37, 0, 0)"), failure.getMessage());
            }
        }
    }
}
