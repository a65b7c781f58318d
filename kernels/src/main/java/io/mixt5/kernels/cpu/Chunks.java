package io.mixt5.kernels.cpu;

/**
 * How kernels cut their work for the {@link WorkerPool}: by sizes alone, so that results do not depend on the number of
 * threads.
 */
final class Chunks {
    /** Elements of a chunk; a multiple of 4, so that {@link VectorPhilox} can start at each. */
    static final int ELEMENTS = 1 << 14;

    /** Work on a stretch of elements. */
    @FunctionalInterface
    interface Body {
        /** Does the {@code n} elements, at most {@link #ELEMENTS}, that follow element {@code from}, as {@code worker}. */
        void run(long from, int n, int worker);
    }

    /** Work on a stretch of one of several arrays. */
    @FunctionalInterface
    interface ManyBody {
        /**
         * Does the {@code n} elements, at most {@link #ELEMENTS}, that follow element {@code from} of an array.
         *
         * @param chunk the chunk's number, counted over all arrays in their order
         */
        void run(int array, long from, int n, int chunk);
    }

    private Chunks() {
    }

    /** Cuts {@code count} elements. */
    static void forEach(long count, Body body) {
        WorkerPool.forRange(count, ELEMENTS, (from, to, worker) -> body.run(from, (int) (to - from), worker));
    }

    /** Cuts several arrays of these counts, and does them all at once. */
    static void forEach(long[] counts, ManyBody body) {
        int[] firsts = firstChunks(counts);
        WorkerPool.forEach(firsts[counts.length], (chunk, worker) -> {
            int array = arrayOf(firsts, chunk);
            long from = (long) (chunk - firsts[array]) * ELEMENTS;
            body.run(array, from, (int) Math.min(ELEMENTS, counts[array] - from), chunk);
        });
    }

    /** How many chunks {@link #forEach(long[], ManyBody)} makes of arrays of these counts. */
    static int count(long[] counts) {
        return firstChunks(counts)[counts.length];
    }

    /** Rows of so many columns that make a chunk; at least one. */
    static long rows(long columns) {
        return Math.max(1, ELEMENTS / Math.max(1, columns));
    }

    /** The number of each array's first chunk, and behind the last one how many chunks there are. */
    private static int[] firstChunks(long[] counts) {
        int[] firsts = new int[counts.length + 1];
        for (int i = 0; i < counts.length; i++) {
            firsts[i + 1] = Math.toIntExact(firsts[i] + (counts[i] + ELEMENTS - 1) / ELEMENTS);
        }
        return firsts;
    }

    /** The array that {@code chunk} lies in: the last one whose first chunk is not behind it. */
    private static int arrayOf(int[] firsts, int chunk) {
        int low = 0;
        int high = firsts.length - 1;
        while (high - low > 1) {
            int middle = (low + high) >>> 1;
            if (firsts[middle] <= chunk) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
