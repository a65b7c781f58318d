package io.mixt5.kernels.cpu;

import io.mixt5.engine.Dropout;
import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import java.util.Arrays;

/**
 * Runs loops that treat every element alike, over arrays of one length, in parallel.
 *
 * <p>A loop only ever sees whole vectors: the elements that are left at the end of the arrays are copied to where there
 * is room for a vector, and what comes out is copied back. So loops need no masks, which keeps them short for the
 * reader and within what the JIT compiler is willing to inline.
 */
final class Elementwise {
    /** Elements for which dropout's factors are drawn ahead; they fit the first-level cache with their operands. */
    private static final int BLOCK = 2048;
    private static final int FACTORS = Scratch.newSlot();
    private static final int REST = Scratch.newSlot();

    /** The loop. */
    @FunctionalInterface
    interface Loop {
        /**
         * Does {@code n} elements.
         *
         * @param in addresses of the inputs
         * @param out addresses of the outputs
         * @param n a multiple of {@link Lanes#FLOATS}
         */
        void run(long[] in, long[] out, int n);
    }

    private Elementwise() {
    }

    /** The tensors' addresses; 0 for null. */
    static long[] addresses(Tensor... tensors) {
        long[] addresses = new long[tensors.length];
        for (int i = 0; i < tensors.length; i++) {
            addresses[i] = tensors[i] == null ? 0 : tensors[i].address();
        }
        return addresses;
    }

    /** Runs {@code loop} over {@code count} elements; an address of 0 stays 0. */
    static void forEach(long count, long[] in, long[] out, Loop loop) {
        Place[] places = places(in, out);
        Chunks.forEach(count, (from, n, worker) -> {
            Place place = places[worker];
            place.move(from);
            run(place.in, place.out, n, loop);
        });
    }

    /**
     * As {@link #forEach(long, long[], long[], Loop)}, with one more input behind the others: the floats to multiply
     * the elements by, or address 0 when nothing is dropped.
     */
    static void forEach(long count, Dropout dropout, long[] in, long[] out, Loop loop) {
        long[] withFactors = Arrays.copyOf(in, in.length + 1);
        if (!dropout.active()) {
            forEach(count, withFactors, out, loop);
            return;
        }
        Place[] places = places(withFactors, out);
        Chunks.forEach(count, (from, n, worker) -> {
            long factors = Scratch.get(FACTORS, (long) Float.BYTES * (BLOCK + VectorPhilox.GROUP));
            Place place = places[worker];
            for (int i = 0; i < n; i += BLOCK) {
                int block = Math.min(BLOCK, n - i);
                VectorPhilox.factors(dropout, from + i, block, factors);
                place.move(from + i);
                place.in[in.length] = factors;
                run(place.in, place.out, block, loop);
            }
        });
    }

    /** The addresses of some element; each worker has one place, so that moving it allocates nothing. */
    private record Place(long[] firstIn, long[] firstOut, long[] in, long[] out) {
        /** To element {@code index}. */
        void move(long index) {
            Elementwise.move(firstIn, index, in);
            Elementwise.move(firstOut, index, out);
        }
    }

    private static Place[] places(long[] in, long[] out) {
        Place[] places = new Place[WorkerPool.size()];
        Arrays.setAll(places, worker -> new Place(in, out, new long[in.length], new long[out.length]));
        return places;
    }

    /** Runs {@code loop} over {@code n} elements on this thread. */
    static void run(long[] in, long[] out, int n, Loop loop) {
        int whole = n - n % Lanes.FLOATS;
        if (whole > 0) {
            loop.run(in, out, whole);
        }
        if (whole < n) {
            runRest(move(in, whole, new long[in.length]), move(out, whole, new long[out.length]),
                    Float.BYTES * (n - whole), loop);
        }
    }

    /** Runs {@code loop} over less than a vector. */
    private static void runRest(long[] in, long[] out, long bytes, Loop loop) {
        long vector = (long) Float.BYTES * Lanes.FLOATS;
        long room = Scratch.get(REST, vector * (in.length + out.length));
        long[] paddedIn = copies(in, bytes, room, vector);
        long[] paddedOut = copies(out, bytes, room + vector * in.length, vector);
        loop.run(paddedIn, paddedOut, Lanes.FLOATS);
        for (int i = 0; i < out.length; i++) {
            if (out[i] != 0) {
                Memory.copy(paddedOut[i], out[i], bytes);
            }
        }
    }

    private static long[] copies(long[] arrays, long bytes, long room, long vector) {
        long[] copies = new long[arrays.length];
        for (int i = 0; i < arrays.length; i++) {
            if (arrays[i] != 0) {
                copies[i] = room + i * vector;
                Memory.copy(arrays[i], copies[i], bytes);
            }
        }
        return copies;
    }

    /** Writes the addresses of element {@code index} of the arrays to {@code to}, and returns that. */
    private static long[] move(long[] arrays, long index, long[] to) {
        for (int i = 0; i < arrays.length; i++) {
            to[i] = arrays[i] == 0 ? 0 : arrays[i] + Float.BYTES * index;
        }
        return to;
    }
}
