package io.mixt5.kernels.emulator;

/**
 * One launch of a kernel.
 *
 * @param module the name its PTX was loaded under, a file
 * @param kernel its entry
 * @param gridX blocks along x
 * @param gridY blocks along y
 * @param gridZ blocks along z
 * @param blockX threads of a block along x
 * @param blockY threads of a block along y
 * @param blockZ threads of a block along z
 * @param sharedBytes shared memory of a block, static and dynamic together
 */
public record Launch(String module, String kernel, int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ,
        int sharedBytes) {
    /** Blocks of the grid. */
    public long blocks() {
        return (long) gridX * gridY * gridZ;
    }

    /** Threads of a block. */
    public int threads() {
        return blockX * blockY * blockZ;
    }

    /** Warps of a block, the last one perhaps not full. */
    public int warps() {
        return (threads() + 31) / 32;
    }

    /** Block {@code block}, counted with x fastest, as {@code (x, y, z)}. */
    public String blockName(long block) {
        return "(" + block % gridX + ", " + block / gridX % gridY + ", " + block / gridX / gridY + ")";
    }

    /** Thread {@code thread} of a block, counted with x fastest, as {@code (x, y, z)}. */
    public String threadName(int thread) {
        return "(" + thread % blockX + ", " + thread / blockX % blockY + ", " + thread / blockX / blockY + ")";
    }
}
