package io.mixt5.kernels.emulator.machine;

import io.mixt5.kernels.cpu.WorkerPool;
import io.mixt5.kernels.emulator.Launch;
import io.mixt5.kernels.emulator.Monitor;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;

/** Runs a kernel's launches: all blocks of a grid, on several threads where nobody can tell. */
public final class Grid {
    private final Program program;
    private final DeviceMemory global;
    private final Monitor monitor;
    private final long budget;
    private final Queue<ThreadBlock> idle = new ConcurrentLinkedQueue<>();

    /**
     * Of a kernel.
     *
     * @param global the device's memory
     * @param monitor watches; null for nobody
     * @param budget instructions of warps that a block may take
     */
    public Grid(Program program, DeviceMemory global, Monitor monitor, long budget) {
        this.program = program;
        this.global = global;
        this.monitor = monitor;
        this.budget = budget;
    }

    /** The kernel. */
    public Program program() {
        return program;
    }

    /** A block that failed. */
    private record Failure(long block, RuntimeException cause) {
        Failure earlier(Failure other) {
            return other == null || block < other.block ? this : other;
        }
    }

    /**
     * Runs all blocks.
     *
     * @param parameters the kernel's parameter memory
     * @param random permutes the order of blocks and warps; null leaves it
     */
    public void run(Launch launch, byte[] parameters, SplittableRandom random) {
        if (monitor != null) {
            monitor.launchStarted(launch);
        }
        int blocks = Math.toIntExact(launch.blocks());
        if (random != null || monitor != null || program.communicates || blocks == 1) {
            runInOrder(launch, parameters, random, blocks);
        } else {
            runAtOnce(launch, parameters, blocks);
        }
        if (monitor != null) {
            monitor.launchEnded(launch);
        }
    }

    private void runInOrder(Launch launch, byte[] parameters, SplittableRandom random, int blocks) {
        ThreadBlock block = borrow(launch, parameters);
        if (random == null) {
            for (int b = 0; b < blocks; b++) {
                block.run(b, budget, null);
            }
        } else {
            for (int b : permutation(blocks, random)) {
                block.run(b, budget, random);
            }
        }
        idle.add(block);
    }

    /** The numbers below {@code count} in an order of chance. */
    static int[] permutation(int count, SplittableRandom random) {
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            int j = random.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }

    private void runAtOnce(Launch launch, byte[] parameters, int blocks) {
        ThreadBlock[] byWorker = new ThreadBlock[WorkerPool.size()];
        AtomicReference<Failure> first = new AtomicReference<>();
        WorkerPool.forEach(blocks, (b, worker) -> {
            Failure earliest = first.get();
            if (earliest != null && earliest.block() < b) {
                return;
            }
            if (byWorker[worker] == null) {
                byWorker[worker] = borrow(launch, parameters);
            }
            try {
                byWorker[worker].run(b, budget, null);
            } catch (RuntimeException e) {
                // Whatever the threads' timing, the first block's failure is the one that is told.
                first.accumulateAndGet(new Failure(b, e), (old, failure) -> failure.earlier(old));
            }
        });
        if (first.get() != null) {
            throw first.get().cause();
        }
        for (ThreadBlock block : byWorker) {
            if (block != null) {
                idle.add(block);
            }
        }
    }

    private ThreadBlock borrow(Launch launch, byte[] parameters) {
        ThreadBlock block = idle.poll();
        if (block == null || block.warps() != launch.warps()) {
            block = new ThreadBlock(program, launch.warps(), global, monitor);
        }
        block.prepare(launch, parameters);
        return block;
    }
}
