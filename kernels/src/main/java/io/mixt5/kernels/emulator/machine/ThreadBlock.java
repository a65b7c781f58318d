package io.mixt5.kernels.emulator.machine;

import io.mixt5.kernels.emulator.Fault;
import io.mixt5.kernels.emulator.Launch;
import io.mixt5.kernels.emulator.Monitor;
import io.mixt5.kernels.emulator.Monitor.Space;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A block of threads: its warps, its shared memory and its barriers. The warps take turns in one thread, each running
 * until it waits or its slice is used up. The object is used again for other blocks of the same shape.
 */
final class ThreadBlock {
    /** Barriers of a block. */
    static final int BARRIERS = 16;

    private static final long SLICE = 1 << 16;

    final DeviceMemory global;
    Segment shared;
    Segment parameters;

    private final Program program;
    private final Monitor monitor;
    private final Warp[] warps;
    private final int[] inOrder;
    private final List<Arrival> waiting = new ArrayList<>();
    private final int[][] arrived = new int[BARRIERS][];
    private final int[] expected = new int[BARRIERS];
    private final int[] trues = new int[BARRIERS];
    private Launch launch;
    private long block;
    private long ticks;

    /** Lanes that wait at a barrier. */
    private record Arrival(Warp warp, Barrier at, int next, int mask, int barrier) {
    }

    ThreadBlock(Program program, int warps, DeviceMemory global, Monitor monitor) {
        this.program = program;
        this.global = global;
        this.monitor = monitor;
        this.warps = new Warp[warps];
        this.inOrder = new int[warps];
        for (int w = 0; w < warps; w++) {
            this.warps[w] = new Warp(this, program, w, monitor);
            inOrder[w] = w;
        }
    }

    Launch launch() {
        return launch;
    }

    long block() {
        return block;
    }

    long tick() {
        return ++ticks;
    }

    int warps() {
        return warps.length;
    }

    /**
     * Makes it ready for blocks of a launch.
     *
     * @param parameterBytes the kernel's parameters
     */
    void prepare(Launch launch, byte[] parameterBytes) {
        this.launch = launch;
        block = 0;
        if (shared == null || shared.size != launch.sharedBytes()) {
            shared = new Segment(Space.SHARED, DeviceMemory.SHARED_WINDOW, launch.sharedBytes(), 0,
                    new byte[launch.sharedBytes()]);
        }
        parameters = new Segment(Space.PARAMETER, DeviceMemory.PARAMETER_WINDOW, parameterBytes.length, 0,
                parameterBytes);
        for (Warp warp : warps) {
            warp.start(launch, true);
        }
    }

    /**
     * Runs one block to its end.
     *
     * @param budget instructions of warps that it may take
     * @param random permutes the warps' order; null leaves it
     */
    void run(long block, long budget, SplittableRandom random) {
        this.block = block;
        Arrays.fill(shared.bytes, Segment.UNWRITTEN);
        waiting.clear();
        Arrays.fill(arrived, null);
        for (Warp warp : warps) {
            warp.start(launch, false);
        }
        if (monitor != null) {
            monitor.blockStarted(launch, block);
        }
        runWarps(budget, random);
        if (monitor != null) {
            monitor.blockEnded(launch, block);
        }
    }

    private void runWarps(long budget, SplittableRandom random) {
        long left = budget;
        boolean progress = true;
        while (progress) {
            progress = false;
            for (int w : random == null ? inOrder : Grid.permutation(warps.length, random)) {
                if (warps[w].runnable()) {
                    left -= warps[w].run(SLICE);
                    progress = true;
                }
            }
            progress |= openBarriers();
            if (left < 0) {
                throw new Fault(Fault.Kind.LAUNCH_FAILED, "kernel " + launch.kernel() + " of " + launch.module()
                        + ", block " + launch.blockName(block) + ": more than " + budget
                        + " instructions of warps; a loop may have no end");
            }
        }
        if (liveThreads() > 0) {
            throw deadlock();
        }
    }

    /** Notes lanes at a barrier. */
    void arrive(Warp warp, Barrier at, int next, int mask, int barrier, int count, int trueLanes) {
        if (arrived[barrier] == null) {
            arrived[barrier] = new int[warps.length];
            trues[barrier] = 0;
        }
        arrived[barrier][warp.index()] |= mask;
        expected[barrier] = count;
        trues[barrier] += Integer.bitCount(trueLanes);
        if (at.reduction == Barrier.Reduction.ARRIVE) {
            warp.put(next, mask);
        } else {
            waiting.add(new Arrival(warp, at, next, mask, barrier));
        }
    }

    private boolean openBarriers() {
        boolean opened = false;
        for (int barrier = 0; barrier < BARRIERS; barrier++) {
            if (arrived[barrier] != null && complete(barrier)) {
                open(barrier);
                opened = true;
            }
        }
        return opened;
    }

    private boolean complete(int barrier) {
        int threads = 0;
        boolean all = true;
        for (int w = 0; w < warps.length; w++) {
            int mask = arrived[barrier][w];
            all &= (warps[w].live() & ~mask) == 0;
            // A barrier with a number of threads counts warps, whose exited lanes count along.
            threads += mask == 0 ? 0 : Integer.bitCount(mask | ~warps[w].live());
        }
        return expected[barrier] < 0 ? all : threads >= expected[barrier];
    }

    private void open(int barrier) {
        int[] masks = arrived[barrier];
        int met = 0;
        for (int mask : masks) {
            met += Integer.bitCount(mask);
        }
        arrived[barrier] = null;
        if (monitor != null) {
            monitor.barrierPassed(launch, block, barrier, masks, launch.threads() - liveThreads());
        }
        for (int i = waiting.size() - 1; i >= 0; i--) {
            Arrival arrival = waiting.get(i);
            if (arrival.barrier() == barrier) {
                arrival.at().release(arrival.warp(), arrival.mask(), trues[barrier], met);
                arrival.warp().put(arrival.next(), arrival.mask());
                waiting.remove(i);
            }
        }
    }

    private int liveThreads() {
        int threads = 0;
        for (Warp warp : warps) {
            threads += Integer.bitCount(warp.live());
        }
        return threads;
    }

    private Fault deadlock() {
        for (Warp warp : warps) {
            if (warp.stuck() != null) {
                return new Fault(Fault.Kind.LAUNCH_FAILED, warp.stuck());
            }
        }
        Arrival first = waiting.get(0);
        int there = 0;
        for (int mask : arrived[first.barrier()]) {
            there += Integer.bitCount(mask);
        }
        return new Fault(Fault.Kind.LAUNCH_FAILED, first.warp().where(first.at().line(),
                Integer.numberOfTrailingZeros(first.mask())) + ": barrier " + first.barrier() + " is reached by "
                + there + " threads, and no others come");
    }
}
