package io.mixt5.kernels.emulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.ffm.cuda.CudaException;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Lanes that part and meet again, and what they tell each other. */
class WarpTest {
    private static int[] each(int threads, IntUnaryOperator expected) {
        return IntStream.range(0, threads).map(expected).toArray();
    }

    @Test
    void branchesPartAndMeet() {
        String ptx = Ptx.kernel("""
                and.b32 %r0, %tid, 1;
                setp.eq.s32 %p0, %r0, 0;
                @%p0 bra EVEN;
                mul.lo.s32 %r1, %tid, 10;
                bra.uni MEET;
                EVEN:
                add.s32 %r1, %tid, 1000;
                MEET:
                activemask.b32 %r2;
                setp.eq.s32 %p1, %r2, -1;
                selp.b32 %r1, %r1, -1, %p1;
                st.global.u32 [%mine], %r1;
                """);
        assertArrayEquals(each(64, tid -> tid % 2 == 0 ? tid + 1000 : 10 * tid), Ptx.run(64, ptx));
    }

    /** Lane l goes round l times; the others wait for it behind the loop. */
    @Test
    void loopsEndLaneByLane() {
        String ptx = Ptx.kernel("""
                mov.u32 %r0, 0;
                mov.u32 %r1, 0;
                LOOP:
                setp.ge.u32 %p0, %r0, %tid;
                @%p0 bra DONE;
                add.s32 %r1, %r1, %r0;
                add.s32 %r0, %r0, 1;
                bra.uni LOOP;
                DONE:
                activemask.b32 %r2;
                popc.b32 %r2, %r2;
                mad.lo.s32 %r1, %r2, 10000, %r1;
                st.global.u32 [%mine], %r1;
                """);
        assertArrayEquals(each(32, tid -> 320000 + tid * (tid - 1) / 2), Ptx.run(32, ptx));
    }

    @Test
    void tablesOfTargetsAreFollowed() {
        String ptx = Ptx.kernel("""
                and.b32 %r0, %tid, 3;
                TABLE: .branchtargets A, B, C, B;
                brx.idx %r0, TABLE;
                A: mov.u32 %r1, 100; bra.uni END;
                B: mov.u32 %r1, 200; bra.uni END;
                C: mov.u32 %r1, 300;
                END: st.global.u32 [%mine], %r1;
                """);
        int[] values = {100, 200, 300, 200};
        assertArrayEquals(each(32, tid -> values[tid % 4]), Ptx.run(32, ptx));
    }

    @Test
    void functionsAreCalled() {
        String function = """
                .func (.param .b32 returned) square(.param .b32 x)
                {
                .reg .b32 %r<3>;
                .reg .pred %p;
                ld.param.b32 %r0, [x];
                setp.gt.s32 %p, %r0, 20;
                mul.lo.s32 %r1, %r0, %r0;
                st.param.b32 [returned], %r1;
                @%p ret;
                neg.s32 %r1, %r1;
                st.param.b32 [returned], %r1;
                ret;
                }
                """;
        String call = """
                { .param .b32 argument; .param .b32 result;
                st.param.b32 [argument], %tid;
                call.uni (result), square, (argument);
                ld.param.b32 %r5, [result]; }
                """;
        assertArrayEquals(each(32, tid -> tid > 20 ? tid * tid : -tid * tid),
                Ptx.run(32, Ptx.kernel(function, call + "st.global.u32 [%mine], %r5;")));
    }

    @Test
    void shufflesMoveValues() {
        String ptx = """
                mul.lo.s32 %%r0, %%tid, 3;
                shfl.sync.%s.b32 %%r1|%%p0, %%r0, %s, %s, -1;
                selp.b32 %%r2, 1000, 0, %%p0;
                add.s32 %%r1, %%r1, %%r2;
                st.global.u32 [%%mine], %%r1;
                """;
        assertArrayEquals(each(32, lane -> 3 * (lane ^ 5) + 1000), shuffle(ptx, "bfly", "5", "31"));
        assertArrayEquals(each(32, lane -> 3 * 7 + 1000), shuffle(ptx, "idx", "7", "31"));
        assertArrayEquals(each(32, lane -> lane >= 4 ? 3 * (lane - 4) + 1000 : 3 * lane), shuffle(ptx, "up", "4", "0"));
        assertArrayEquals(each(32, lane -> lane < 28 ? 3 * (lane + 4) + 1000 : 3 * lane),
                shuffle(ptx, "down", "4", "31"));
        // Segments of 8 lanes: the mask of the segment's upper bits stands above the clamp.
        assertArrayEquals(each(32, lane -> lane % 8 < 4 ? 3 * (lane + 4) + 1000 : 3 * lane),
                shuffle(ptx, "down", "4", "0x181f"));
        assertArrayEquals(each(32, lane -> 3 * (lane / 8 * 8 + 2) + 1000), shuffle(ptx, "idx", "2", "0x181f"));
        // A source of its own for each lane.
        assertArrayEquals(each(32, lane -> 3 * (31 - lane) + 1000),
                shuffle("sub.s32 %%r9, 31, %%tid;\n" + ptx, "idx", "%r9", "31"));
    }

    private static int[] shuffle(String ptx, String mode, String choice, String clamp) {
        return Ptx.run(32, Ptx.kernel(ptx.formatted(mode, choice, clamp)));
    }

    @Test
    void votesAreCounted() {
        String ptx = Ptx.kernel("""
                setp.gt.u32 %p0, %tid, 3;
                vote.sync.ballot.b32 %r0, %p0, -1;
                vote.sync.any.pred %p1, %p0, -1;
                vote.sync.all.pred %p2, %p0, -1;
                vote.sync.uni.pred %p3, %p0, -1;
                vote.sync.all.pred %p4, !%p2, -1;
                selp.b32 %r1, 1, 0, %p1;
                selp.b32 %r2, 2, 0, %p2;
                selp.b32 %r3, 4, 0, %p3;
                selp.b32 %r4, 8, 0, %p4;
                add.s32 %r0, %r0, %r1; add.s32 %r0, %r0, %r2; add.s32 %r0, %r0, %r3; add.s32 %r0, %r0, %r4;
                st.global.u32 [%mine], %r0;
                """);
        assertArrayEquals(each(32, lane -> 0xfffffff0 + 9), Ptx.run(32, ptx));
    }

    @Test
    void matchesAndReductionsLookAtAllLanes() {
        String match = Ptx.kernel("""
                rem.u32 %r0, %tid, 3;
                match.any.sync.b32 %r1, %r0, -1;
                st.global.u32 [%mine], %r1;
                """);
        assertArrayEquals(
                each(32, lane -> IntStream.range(0, 32).filter(l -> l % 3 == lane % 3).map(l -> 1 << l).sum()),
                Ptx.run(32, match));
        String all = Ptx.kernel("""
                and.b32 %r0, %tid, 16;
                cvt.u64.u32 %d0, %r0;
                setp.lt.u32 %p1, %tid, 16;
                @%p1 bra LOW;
                match.all.sync.b64 %r1|%p0, %d0, 0xffff0000;
                bra.uni END;
                LOW: cvt.u64.u32 %d0, %tid; match.all.sync.b64 %r1|%p0, %d0, 0xffff;
                END: selp.b32 %r1, %r1, 5, %p0; st.global.u32 [%mine], %r1;
                """);
        assertArrayEquals(each(32, lane -> lane < 16 ? 5 : 0xffff0000), Ptx.run(32, all));
        String redux = Ptx.kernel("""
                sub.s32 %r0, %tid, 5;
                redux.sync.add.s32 %r1, %r0, -1;
                redux.sync.min.s32 %r2, %r0, -1;
                redux.sync.max.u32 %r3, %r0, -1;
                redux.sync.or.b32 %r4, %tid, -1;
                redux.sync.xor.b32 %r5, %tid, -1;
                mad.lo.s32 %r1, %r2, 1000, %r1; add.s32 %r1, %r1, %r3; mad.lo.s32 %r1, %r4, 100000, %r1;
                add.s32 %r1, %r1, %r5;
                st.global.u32 [%mine], %r1;
                """);
        int expected = 496 - 160 - 5000 - 1 + 31 * 100000;
        assertArrayEquals(each(32, lane -> expected), Ptx.run(32, redux));
    }

    /** Both ways of a branch shuffle with the whole warp: they are different instructions, but of one kind. */
    @Test
    void lanesMeetAtInstructionsOfOneKind() {
        String ptx = Ptx.kernel("""
                and.b32 %r0, %tid, 1;
                setp.eq.s32 %p0, %r0, 0;
                mul.lo.s32 %r1, %tid, 2;
                @%p0 bra EVEN;
                shfl.sync.bfly.b32 %r2, %r1, 1, 31, -1;
                bra.uni MEET;
                EVEN:
                shfl.sync.bfly.b32 %r2, %tid, 1, 31, -1;
                MEET:
                st.global.u32 [%mine], %r2;
                """);
        // Odd lanes give 2 tid, even ones tid.
        assertArrayEquals(each(32, lane -> lane % 2 == 0 ? 2 * (lane + 1) : lane - 1), Ptx.run(32, ptx));
    }

    @Test
    void lanesThatHaveExitedAreNotWaitedFor() {
        String ptx = Ptx.kernel("""
                setp.ge.u32 %p0, %tid, 10;
                @%p0 exit;
                vote.sync.ballot.b32 %r0, 1, -1;
                st.global.u32 [%mine], %r0;
                """);
        assertArrayEquals(each(32, lane -> lane < 10 ? 0x3ff : 0), Ptx.run(32, ptx));
    }

    @Test
    void halvesOfAWarpMeetAlone() {
        String ptx = Ptx.kernel("""
                setp.lt.u32 %p0, %tid, 16;
                mov.u32 %r3, 0xffff;
                @!%p0 mov.u32 %r3, 0xffff0000;
                vote.sync.ballot.b32 %r0, 1, %r3;
                bar.warp.sync %r3;
                st.global.u32 [%mine], %r0;
                """);
        assertArrayEquals(each(32, lane -> lane < 16 ? 0xffff : 0xffff0000), Ptx.run(32, ptx));
    }

    @Test
    void whoWaitsForNobodyIsTold() {
        String ptx = Ptx.kernel("""
                setp.lt.u32 %p0, %tid, 16;
                @%p0 bra LOW;
                bar.warp.sync -1;
                bra.uni END;
                LOW: vote.sync.ballot.b32 %r0, 1, -1;
                END: st.global.u32 [%mine], %r0;
                """);
        CudaException failure = assertThrows(CudaException.class, () -> Ptx.run(32, ptx));
        assertEquals(CudaException.LAUNCH_FAILED, failure.status());
        assertTrue(failure.getMessage().contains("waits for lanes"), failure.getMessage());
    }

    @Test
    void aLaneOutsideItsOwnMaskIsTold() {
        CudaException failure = assertThrows(CudaException.class,
                () -> Ptx.run(32, Ptx.kernel("bar.warp.sync 0xffff;")));
        assertTrue(failure.getMessage().contains("thread (16, 0, 0)"), failure.getMessage());
    }

    /** The lane that spins is furthest back; the one it waits for gets its turn all the same. */
    @Test
    void spinningLanesLetOthersRun() {
        String ptx = Ptx.kernel("""
                setp.eq.s32 %p0, %tid, 0;
                @!%p0 bra OTHER;
                SPIN:
                ld.volatile.global.u32 %r0, [%out+4];
                setp.eq.s32 %p1, %r0, 0;
                @%p1 bra SPIN;
                bra.uni END;
                OTHER:
                mov.u32 %r0, 7;
                END:
                st.global.u32 [%mine], %r0;
                """);
        assertArrayEquals(new int[]{7, 7}, Ptx.run(2, ptx));
    }

    @Test
    void loopsWithoutEndAreTold() {
        try (TestDevice device = new TestDevice(EmulatorSettings.DEFAULT.withBudget(100_000))) {
            device.load(Ptx.kernel("LOOP: bra.uni LOOP;"));
            CudaException failure = assertThrows(CudaException.class,
                    () -> device.launch("probe", 1, 32, 0L, 0L));
            assertTrue(failure.getMessage().contains("no end"), failure.getMessage());
        }
    }

    @Test
    void trapsAreTold() {
        CudaException failure = assertThrows(CudaException.class,
                () -> Ptx.run(32, Ptx.kernel("setp.eq.s32 %p0, %tid, 9;\n@%p0 trap;")));
        assertTrue(failure.getMessage().contains("thread (9, 0, 0): trap"), failure.getMessage());
    }
}
