package io.mixt5.kernels.emulator.sanitizer;

/**
 * Who accessed memory, in one number above 0: block, thread of the block, PTX line and whether it was an atomic.
 * Blocks are below 2^30, threads below 2^10 and lines, counted from 1, below 2^22.
 */
final class Accessor {
    private static final int LINE = 1;
    private static final int THREAD = 23;
    private static final int BLOCK = 33;

    private Accessor() {
    }

    static long of(long block, int thread, int line, boolean atomic) {
        return block << BLOCK | (long) thread << THREAD | (long) line << LINE | (atomic ? 1 : 0);
    }

    static int block(long accessor) {
        return (int) (accessor >>> BLOCK);
    }

    static int thread(long accessor) {
        return (int) (accessor >>> THREAD) & 0x3ff;
    }

    static int line(long accessor) {
        return (int) (accessor >>> LINE) & 0x3fffff;
    }

    static boolean atomic(long accessor) {
        return (accessor & 1) != 0;
    }

    static boolean sameThread(long a, long b) {
        return a >>> THREAD == b >>> THREAD;
    }
}
