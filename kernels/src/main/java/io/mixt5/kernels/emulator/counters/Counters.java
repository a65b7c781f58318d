package io.mixt5.kernels.emulator.counters;

import io.mixt5.kernels.emulator.Launch;
import io.mixt5.kernels.emulator.Monitor;
import io.mixt5.kernels.emulator.WarpView;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;

/** Counts what kernels do, for each kernel by itself, from when it is made or {@link #clear} is called. */
public final class Counters implements Monitor {
    private final Map<String, Tally> tallies = new TreeMap<>();
    private final ByteSet read = new ByteSet();
    private final ByteSet written = new ByteSet();
    private final Request request = new Request();
    private Tally tally;

    /** The counters of one kernel while they grow. */
    private static final class Tally {
        private final long[] instructions = new long[Work.values().length];
        private long launches;
        private long matrixProducts;
        private long laneInstructions;
        private long branches;
        private long divergentBranches;
        private long readBytes;
        private long writtenBytes;
        private long distinctReadBytes;
        private long distinctWrittenBytes;
        private long requests;
        private long sectors;
        private long idealSectors;
        private long sharedBytes;
        private long phases;
        private long wavefronts;
        private long localBytes;

        private KernelCounters counters() {
            Map<Work, Long> byWork = new EnumMap<>(Work.class);
            for (Work work : Work.values()) {
                if (instructions[work.ordinal()] > 0) {
                    byWork.put(work, instructions[work.ordinal()]);
                }
            }
            GlobalTraffic global = new GlobalTraffic(readBytes, writtenBytes, distinctReadBytes, distinctWrittenBytes,
                    requests, sectors, idealSectors);
            SharedTraffic shared = new SharedTraffic(sharedBytes, phases, wavefronts);
            return new KernelCounters(launches, byWork, matrixProducts, laneInstructions, branches, divergentBranches,
                    global, shared, localBytes);
        }
    }

    /** The counters of all kernels that have run, by their names in order. */
    public Map<String, KernelCounters> kernels() {
        Map<String, KernelCounters> kernels = new TreeMap<>();
        tallies.forEach((name, counted) -> kernels.put(name, counted.counters()));
        return kernels;
    }

    /** Begins anew; not for use while a kernel runs. */
    public void clear() {
        tallies.clear();
    }

    @Override
    public void launchStarted(Launch launch) {
        tally = tallies.computeIfAbsent(launch.kernel(), name -> new Tally());
        tally.launches++;
        read.clear();
        written.clear();
    }

    @Override
    public void launchEnded(Launch launch) {
        tally.distinctReadBytes += read.size();
        tally.distinctWrittenBytes += written.size();
    }

    @Override
    public void executed(WarpView warp, int line, String opcode, Work work, int mask) {
        tally.instructions[work.ordinal()]++;
        tally.laneInstructions += Integer.bitCount(mask);
        if (work == Work.MATRIX && (opcode.startsWith("mma.") || opcode.startsWith("wmma.mma."))) {
            tally.matrixProducts++;
        }
    }

    @Override
    public void branched(WarpView warp, int line, int mask, int taken) {
        tally.branches++;
        tally.divergentBranches += taken != 0 && taken != mask ? 1 : 0;
    }

    @Override
    public void accessed(WarpView warp, int line, Space space, Access access, int mask, long[] addresses, int bytes) {
        switch (space) {
            case GLOBAL -> accessGlobal(access, mask, addresses, bytes);
            case SHARED -> accessShared(access, mask, addresses, bytes);
            case LOCAL -> tally.localBytes += (long) Integer.bitCount(mask) * bytes;
            case CONSTANT, PARAMETER -> {
                // Served by caches of their own.
            }
        }
    }

    private void accessGlobal(Access access, int mask, long[] addresses, int bytes) {
        if (mask == 0) {
            return;
        }
        long moved = (long) Integer.bitCount(mask) * bytes;
        if (access != Access.WRITE) {
            tally.readBytes += moved;
            add(read, mask, addresses, bytes);
        }
        if (access != Access.READ) {
            tally.writtenBytes += moved;
            add(written, mask, addresses, bytes);
        }
        tally.requests++;
        tally.sectors += request.sectors(mask, addresses);
        tally.idealSectors += request.idealSectors(mask, addresses, bytes);
    }

    private static void add(ByteSet set, int mask, long[] addresses, int bytes) {
        for (int m = mask; m != 0; m &= m - 1) {
            set.add(addresses[Integer.numberOfTrailingZeros(m)], bytes);
        }
    }

    private void accessShared(Access access, int mask, long[] addresses, int bytes) {
        tally.sharedBytes += (long) Integer.bitCount(mask) * bytes;
        tally.phases += Request.phases(mask, bytes);
        tally.wavefronts += request.wavefronts(mask, addresses, bytes, access == Access.ATOMIC);
    }

    @Override
    public void copyIssued(WarpView warp, int line, int mask, long[] shared, long[] global, int bytes,
            int[] bytesRead) {
        int reading = 0;
        for (int m = mask; m != 0; m &= m - 1) {
            int lane = Integer.numberOfTrailingZeros(m);
            reading |= bytesRead[lane] > 0 ? 1 << lane : 0;
        }
        // A copy that reads only some of its bytes counts as if it read them all.
        accessGlobal(Access.READ, reading, global, bytes);
        accessShared(Access.WRITE, mask, shared, bytes);
    }
}
