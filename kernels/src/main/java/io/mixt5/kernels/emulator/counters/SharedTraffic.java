package io.mixt5.kernels.emulator.counters;

/**
 * What a kernel's accesses to shared memory come to.
 *
 * @param bytes that its threads read and write
 * @param phases steps that its instructions need at least: a warp at once for up to 4 bytes a lane, half a warp for 8,
 * a quarter for 16
 * @param wavefronts steps that they take, one after another where lanes of a phase need different words of a bank
 */
public record SharedTraffic(long bytes, long phases, long wavefronts) {
    /** The average number of ways by which accesses conflict: 1 where there are no conflicts. */
    public double ways() {
        return phases == 0 ? 1 : (double) wavefronts / phases;
    }
}
