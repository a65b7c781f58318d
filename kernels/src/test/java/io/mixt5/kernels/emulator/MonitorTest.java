package io.mixt5.kernels.emulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.ffm.cuda.CudaException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What monitors are told, and in which order. */
class MonitorTest {
    /** Writes down everything. */
    private static class Recorder implements Monitor {
        final List<String> events = new ArrayList<>();
        private long heap;

        private void note(String text) {
            events.add(text);
        }

        @Override
        public void launchStarted(Launch launch) {
            note("launch " + launch.kernel() + " " + launch.blocks() + " x " + launch.threads() + ", shared "
                    + launch.sharedBytes());
        }

        @Override
        public void launchEnded(Launch launch) {
            note("launch ended");
        }

        @Override
        public void blockStarted(Launch launch, long block) {
            note("block " + block);
        }

        @Override
        public void blockEnded(Launch launch, long block) {
            note("block ended");
        }

        @Override
        public void executed(WarpView warp, int line, String opcode, Work work, int mask) {
            if (work != Work.MOVE && work != Work.INTEGER && work != Work.CONVERSION) {
                note(opcode + " is " + work + " of " + Integer.toHexString(mask));
            }
        }

        @Override
        public void branched(WarpView warp, int line, int mask, int taken) {
            note("branch " + Integer.toHexString(mask) + " takes " + Integer.toHexString(taken));
        }

        @Override
        public void accessed(WarpView warp, int line, Space space, Access access, int mask, long[] addresses,
                int bytes) {
            int lane = Integer.numberOfTrailingZeros(mask);
            note(access + " " + space + " " + (addresses[lane] - (space == Space.GLOBAL ? heap : 0)) + " + " + bytes
                    + " of "
                    + Integer.toHexString(mask));
        }

        @Override
        public void copyIssued(WarpView warp, int line, int mask, long[] shared, long[] global, int bytes, int[] read) {
            note("copy to " + shared[0] + " from " + (global[0] - heap) + ", " + read[0] + " of " + bytes);
        }

        @Override
        public void copyCommitted(WarpView warp, int line, int mask) {
            note("committed");
        }

        @Override
        public void copyWaited(WarpView warp, int line, int mask, int pending) {
            note("waited for all but " + pending);
        }

        @Override
        public void copied(WarpView warp, int lane, long shared, int bytes) {
            note("copied " + lane + ": " + shared + " + " + bytes);
        }

        @Override
        public void warpSynchronised(WarpView warp, int line, int mask) {
            note("warp met " + Integer.toHexString(mask));
        }

        @Override
        public void barrierReached(WarpView warp, int line, int barrier, int mask) {
            note("warp " + warp.index() + " at barrier " + barrier + " with " + Integer.toHexString(mask));
        }

        @Override
        public void barrierPassed(Launch launch, long block, int barrier, int[] masks, int exited) {
            note("barrier " + barrier + " opens for " + Arrays.toString(masks) + ", exited " + exited);
        }

        @Override
        public void allocated(long address, long bytes) {
            heap = heap == 0 ? address : heap;
            note("allocated " + bytes);
        }

        @Override
        public void freed(long address, long bytes) {
            note("freed " + bytes);
        }

        @Override
        public void hostWrote(long address, long bytes) {
            note("host wrote " + (address - heap) + " + " + bytes);
        }

        @Override
        public void hostRead(long address, long bytes) {
            note("host read " + bytes);
        }

        @Override
        public void deviceCopied(long source, long target, long bytes) {
            note("copied " + bytes + " by " + (target - source));
        }
    }

    private static void assertEvents(String expected, Recorder recorder) {
        assertEquals(expected.strip(), String.join("\n", recorder.events));
    }

    @Test
    void memoryOfTheHostIsWatched() {
        Recorder recorder = new Recorder();
        try (TestDevice device = new TestDevice(EmulatorSettings.DEFAULT.withMonitor(recorder))) {
            long a = device.put(1, 2, 3, 4);
            device.emulator().fill(a + 4, (byte) 0, 8, 0);
            device.emulator().copy(a, a + 8, 8, 0);
            device.ints(a, 4);
            device.emulator().free(a);
        }
        assertEvents("""
                allocated 16
                host wrote 0 + 16
                host wrote 4 + 8
                copied 8 by 8
                host read 16
                freed 16
                """, recorder);
    }

    @Test
    void kernelsAreWatched() {
        Recorder recorder = new Recorder();
        String ptx = Ptx.kernel("""
                .shared .align 16 .b8 s[128];
                setp.ge.u32 %p0, %tid, 32;
                @%p0 bra SECOND;
                mov.u32 %r0, s;
                setp.lt.u32 %p1, %tid, 2;
                @%p1 st.shared.u32 [%r0+8], %tid;
                cp.async.ca.shared.global [%r0+16], [%in], 8;
                cp.async.commit_group;
                cp.async.wait_group 0;
                bar.warp.sync -1;
                SECOND:
                bar.sync 0;
                @%p1 bra END;
                END:
                """);
        try (TestDevice device = new TestDevice(EmulatorSettings.DEFAULT.withMonitor(recorder))) {
            long in = device.put(7L);
            device.load(ptx).launch("probe", 1, 48, in, in);
        }
        List<String> copies = recorder.events.stream().filter(event -> event.startsWith("copied ")).toList();
        assertEquals(32, copies.size());
        assertEquals("copied 31: 16 + 8", copies.get(31));
        recorder.events.removeAll(copies);
        assertEvents("""
                allocated 8
                host wrote 0 + 8
                launch probe 1 x 48, shared 128
                block 0
                ld.param.u64 is LOAD of ffffffff
                ld.param.u64 is LOAD of ffffffff
                bra is CONTROL of 0
                branch ffffffff takes 0
                st.shared.u32 is STORE of 3
                WRITE SHARED 8 + 4 of 3
                cp.async.ca.shared.global is COPY of ffffffff
                copy to 16 from 0, 8 of 8
                cp.async.commit_group is COPY of ffffffff
                committed
                cp.async.wait_group is COPY of ffffffff
                waited for all but 0
                bar.warp.sync is BARRIER of ffffffff
                warp met ffffffff
                bar.sync is BARRIER of ffffffff
                warp 0 at barrier 0 with ffffffff
                ld.param.u64 is LOAD of ffff
                ld.param.u64 is LOAD of ffff
                bra is CONTROL of ffff
                branch ffff takes ffff
                bar.sync is BARRIER of ffff
                warp 1 at barrier 0 with ffff
                barrier 0 opens for [-1, 65535], exited 0
                bra is CONTROL of 3
                branch ffffffff takes 3
                ret is CONTROL of ffffffff
                bra is CONTROL of 0
                branch ffff takes 0
                ret is CONTROL of ffff
                block ended
                launch ended
                """, recorder);
    }

    @Test
    void aMonitorMayEndALaunch() {
        Monitor strict = new Monitor() {
            @Override
            public void accessed(WarpView warp, int line, Space space, Access access, int mask, long[] addresses,
                    int bytes) {
                throw new Fault(Fault.Kind.LAUNCH_FAILED, warp.where(line, 5) + ": not today");
            }
        };
        try (TestDevice device = new TestDevice(EmulatorSettings.DEFAULT.withMonitor(strict))) {
            device.load(Ptx.kernel("st.global.u32 [%mine], %tid;"));
            CudaException failure = assertThrows(CudaException.class, () -> device.launch("probe", 1, 8,
                    device.put(new int[8]), 0L));
            assertTrue(failure.getMessage().contains("thread (5, 0, 0): not today"), failure.getMessage());
        }
    }
}
