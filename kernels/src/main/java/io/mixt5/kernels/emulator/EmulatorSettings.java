package io.mixt5.kernels.emulator;

/**
 * What the emulator imitates, and how it watches.
 *
 * @param devices how many there are
 * @param capability compute capability of each, 10 * major + minor
 * @param memory bytes of each one's memory; host memory stands behind what is allocated
 * @param monitor watches kernels and memory; null for nobody
 * @param order seed of a permutation of each launch's blocks and warps; null runs them in order, and independent blocks
 * on several threads
 * @param budget instructions of warps that a block may take before it is said to have no end
 */
public record EmulatorSettings(int devices, int capability, long memory, Monitor monitor, Long order, long budget) {
    /** One device of capability 8.0 with 4 GiB, unwatched. */
    public static final EmulatorSettings DEFAULT = new EmulatorSettings(1, 80, 4L << 30, null, null, 1L << 28);

    /** The same but with so many devices. */
    public EmulatorSettings withDevices(int value) {
        return new EmulatorSettings(value, capability, memory, monitor, order, budget);
    }

    /** The same but of another compute capability, 10 * major + minor. */
    public EmulatorSettings withCapability(int value) {
        return new EmulatorSettings(devices, value, memory, monitor, order, budget);
    }

    /** The same but with so many bytes of memory for each device. */
    public EmulatorSettings withMemory(long value) {
        return new EmulatorSettings(devices, capability, value, monitor, order, budget);
    }

    /** The same but watched. */
    public EmulatorSettings withMonitor(Monitor value) {
        return new EmulatorSettings(devices, capability, memory, value, order, budget);
    }

    /** The same but with blocks and warps in an order that a seed chooses. */
    public EmulatorSettings withOrder(long seed) {
        return new EmulatorSettings(devices, capability, memory, monitor, seed, budget);
    }

    /** The same but with another limit on the instructions of a block. */
    public EmulatorSettings withBudget(long value) {
        return new EmulatorSettings(devices, capability, memory, monitor, order, value);
    }
}
