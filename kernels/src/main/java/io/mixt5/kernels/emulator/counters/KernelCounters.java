package io.mixt5.kernels.emulator.counters;

import io.mixt5.kernels.emulator.Monitor.Work;
import java.util.Map;

/**
 * What a kernel's launches come to.
 *
 * @param launches how many there were
 * @param instructions executed by warps, of each kind that there were any of
 * @param matrixProducts those of them that multiply matrices
 * @param laneInstructions instructions executed by lanes
 * @param branches conditional branches of warps
 * @param divergentBranches those at which lanes part
 * @param global accesses to device memory
 * @param shared accesses to shared memory
 * @param localBytes bytes that threads read and write in their local memory
 */
public record KernelCounters(long launches, Map<Work, Long> instructions, long matrixProducts, long laneInstructions,
        long branches, long divergentBranches, GlobalTraffic global, SharedTraffic shared, long localBytes) {
    private static final int LANES = 32;

    /** With a copy of the map. */
    public KernelCounters {
        instructions = Map.copyOf(instructions);
    }

    /** Instructions executed by warps. */
    public long warpInstructions() {
        return instructions.values().stream().mapToLong(Long::longValue).sum();
    }

    /** The share of a kind of work among the instructions of warps, from 0 to 1. */
    public double share(Work work) {
        return share(instructions.getOrDefault(work, 0L));
    }

    /** The share of matrix products among the instructions of warps, from 0 to 1. */
    public double matrixShare() {
        return share(matrixProducts);
    }

    /** How much of the warps takes part in an instruction on average, from 0 to 1. */
    public double activity() {
        return share(laneInstructions) / LANES;
    }

    /** The share of branches at which lanes part, from 0 to 1. */
    public double divergence() {
        return branches == 0 ? 0 : (double) divergentBranches / branches;
    }

    private double share(long count) {
        long all = warpInstructions();
        return all == 0 ? 0 : (double) count / all;
    }
}
