package io.mixt5.kernels.cpu;

import static io.mixt5.kernels.cpu.Lanes.ADDRESS;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.XOR;

import io.mixt5.engine.Dropout;
import io.mixt5.engine.Memory;
import io.mixt5.engine.Philox;
import io.mixt5.engine.RandomStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Random numbers, many at a time; bit for bit those of {@link Philox}.
 *
 * <p>A lane of long carries two 32-bit words of one counter: words 0 and 1, or words 2 and 3, the first in the upper
 * half. A round multiplies the upper half, which a shift brings down. That both factors have been shifted so tells the
 * compiler that one instruction (vpmuludq) makes the whole product.
 */
final class VectorPhilox {
    /** Numbers are written in multiples of so many floats: the words of four vectors of counters. */
    static final int GROUP = 8 * Lanes.FLOATS;

    private static final VectorSpecies<Long> L = Lanes.L;
    private static final MemorySegment ALL = Memory.ALL;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    /** Bytes of a vector. */
    private static final long V = (long) Lanes.FLOATS * Float.BYTES;

    /** Rounds whose key is nothing but the key: those after the first two. */
    private static final int PLAIN_ROUNDS = 8;
    private static final int PLAIN_KEYS = 3;
    private static final int KEYS = Scratch.newSlot();

    private static final LongVector M0 = LongVector.broadcast(L, (long) Philox.M0 << 32);
    private static final LongVector M1 = LongVector.broadcast(L, (long) Philox.M1 << 32);
    private static final LongVector LONGS = LongVector.broadcast(L, (long) L.length() << 32);

    /**
     * Word 0 of each lane's counter, relative to the first: the lower half of the counters in the even lanes, the upper
     * half in the odd ones. Swaps of neighbours and blends then put all words into the order of their elements.
     */
    private static final LongVector COUNTERS = LongVector.fromArray(L, counters(), 0);
    // On ints, since two lanes of long are too few for the compiler to shuffle.
    private static final VectorShuffle<Integer> SWAP_LONGS = VectorShuffle.fromOp(Lanes.I, lane -> lane ^ 2);
    private static final VectorShuffle<Integer> SWAP_WORDS = VectorShuffle.fromOp(Lanes.I, lane -> lane ^ 1);
    private static final VectorShuffle<Integer> SWAP_BOTH = VectorShuffle.fromOp(Lanes.I, lane -> lane ^ 3);
    private static final VectorMask<Integer> ODD = VectorMask.fromLong(Lanes.I, 0xCCCCCCCCCCCCCCCCL);

    private VectorPhilox() {
    }

    private static long[] counters() {
        long[] counters = new long[L.length()];
        for (int lane = 0; lane < counters.length; lane++) {
            counters[lane] = (long) (lane / 2 + lane % 2 * (counters.length / 2)) << 32;
        }
        return counters;
    }

    /**
     * Writes {@link Dropout#factor} of the elements from {@code firstIndex} as floats.
     *
     * @param firstIndex a multiple of 4
     * @param n how many elements; more are written, up to the next multiple of {@link #GROUP}
     * @param address where they go
     */
    static void factors(Dropout dropout, long firstIndex, int n, long address) {
        int written = Math.ceilDiv(n, GROUP) * GROUP;
        if (changesWord1(firstIndex, written)) {
            for (int i = 0; i < written; i++) {
                Memory.setFloat(address + 4L * i, dropout.factor(firstIndex + i));
            }
        } else {
            draw(dropout.seed(), dropout.stream(), dropout.step(), firstIndex, written, address);
            toFactors(dropout.threshold(), dropout.scale(), written, address);
        }
    }

    /**
     * Writes {@link RandomStream#uniform} of the elements from {@code firstIndex} as floats; the arguments are as those
     * of {@link #factors}.
     */
    static void uniforms(RandomStream stream, long firstIndex, int n, long address) {
        int written = Math.ceilDiv(n, GROUP) * GROUP;
        if (changesWord1(firstIndex, written)) {
            for (int i = 0; i < written; i++) {
                Memory.setFloat(address + 4L * i, stream.uniform(firstIndex + i));
            }
        } else {
            draw(stream.seed(), stream.id(), stream.step(), firstIndex, written, address);
            toUniforms(written, address);
        }
    }

    /** Whether word 1 of the counter changes on the way, as it does once in 2^34 elements. */
    private static boolean changesWord1(long first, int n) {
        return first >>> 34 != first + Math.max(0, n - 1) >>> 34;
    }

    /** Makes factors of what {@link #draw} wrote: 0 where the upper 24 bits are below the threshold, else the scale. */
    private static void toFactors(int threshold, float scale, int n, long address) {
        for (int i = 0; i < n; i += 2 * Lanes.FLOATS) {
            long at = address + 4L * i;
            IntVector words01 = words(at);
            IntVector words23 = words(at + V).rearrange(SWAP_LONGS);
            storeFactors(at, lower(words01, words23), threshold, scale);
            storeFactors(at + V, upper(words01, words23), threshold, scale);
        }
    }

    /** Makes uniforms of what {@link #draw} wrote. */
    private static void toUniforms(int n, long address) {
        for (int i = 0; i < n; i += 2 * Lanes.FLOATS) {
            long at = address + 4L * i;
            IntVector words01 = words(at);
            IntVector words23 = words(at + V).rearrange(SWAP_LONGS);
            storeUniforms(at, lower(words01, words23));
            storeUniforms(at + V, upper(words01, words23));
        }
    }

    private static IntVector words(long address) {
        return IntVector.fromMemorySegment(Lanes.I, ALL, address & ADDRESS, ORDER);
    }

    /** All words of the even lanes' counters, in the order of their elements. */
    private static IntVector lower(IntVector words01, IntVector swapped23) {
        return words01.blend(swapped23, ODD).rearrange(SWAP_WORDS);
    }

    /** All words of the odd lanes' counters. */
    private static IntVector upper(IntVector words01, IntVector swapped23) {
        return swapped23.blend(words01, ODD).rearrange(SWAP_BOTH);
    }

    private static void storeFactors(long address, IntVector bits, int threshold, float scale) {
        VectorMask<Integer> dropped = bits.lanewise(LSHR, 8).compare(LT, threshold);
        Floats.store(address, Floats.all(scale).blend(0, dropped.cast(Lanes.F)));
    }

    private static void storeUniforms(long address, IntVector bits) {
        FloatVector integers = (FloatVector) bits.lanewise(LSHR, 8).convert(VectorOperators.I2F, 0);
        Floats.store(address, integers.mul(0x1p-24f));
    }

    /**
     * Writes the words of n elements' counters, n being a multiple of {@link #GROUP}, whose word 1 is the same for all:
     * of each vector of counters words 0 and 1, then words 2 and 3, the lanes as they are.
     */
    private static void draw(long seed, int stream, int step, long first, int n, long address) {
        long keys = Scratch.get(KEYS, (PLAIN_KEYS + 2 * PLAIN_ROUNDS) * V);
        prepareKeys(seed, stream, step, first, keys);
        runRounds(first, n, address, keys);
    }

    /**
     * Writes, as vectors of equal lanes, what each round's products are combined with by exclusive or. Of the first
     * two rounds that is more than the key: word 0 of the counter is the only one that differs from lane to lane, so
     * half of either round is the same for all of them.
     */
    private static void prepareKeys(long seed, int stream, int step, long first, long keys) {
        long key0 = seed;
        long key1 = seed >>> 32;
        long product1 = word(Philox.M1) * word(stream);
        long product0 = word(Philox.M0) * word(product1 >>> 32 ^ first >>> 34 ^ key0);
        putKey(keys, (step ^ key1) << 32);
        key0 += Philox.W0;
        key1 += Philox.W1;
        putKey(keys + V, (product1 ^ key0) << 32);
        putKey(keys + 2 * V, product0 ^ key1 << 32);
        for (int round = 0; round < PLAIN_ROUNDS; round++) {
            key0 += Philox.W0;
            key1 += Philox.W1;
            putKey(keys + (PLAIN_KEYS + 2 * round) * V, key0 << 32);
            putKey(keys + (PLAIN_KEYS + 2 * round + 1) * V, key1 << 32);
        }
    }

    private static long word(long bits) {
        return bits & 0xffffffffL;
    }

    private static void putKey(long address, long key) {
        LongVector.broadcast(L, key).intoMemorySegment(ALL, address & ADDRESS, ORDER);
    }

    /**
     * Four vectors of counters at a time, since a round is a chain of five cycles: {@code a} to {@code d} are their
     * words 0 and 1, {@code e} to {@code h} their words 2 and 3. Nothing is factored out: so long a method exhausts
     * what the JIT is ready to inline, but for the methods of vectors themselves.
     */
    private static void runRounds(long first, int n, long address, long keys) {
        LongVector m0 = M0.lanewise(LSHR, 32);
        LongVector m1 = M1.lanewise(LSHR, 32);
        LongVector first2 = LongVector.fromMemorySegment(L, ALL, keys & ADDRESS, ORDER);
        LongVector second0 = LongVector.fromMemorySegment(L, ALL, keys + V & ADDRESS, ORDER);
        LongVector second2 = LongVector.fromMemorySegment(L, ALL, keys + 2 * V & ADDRESS, ORDER);
        LongVector counter = COUNTERS.add(first >>> 2 << 32);
        long plain = keys + PLAIN_KEYS * V;
        long end = plain + 2 * PLAIN_ROUNDS * V;
        long round = 2 * V * Lanes.one;
        for (int i = 0; i < n; i += GROUP) {
            LongVector e = counter.lanewise(LSHR, 32).mul(m0).lanewise(XOR, first2);
            counter = counter.add(LONGS);
            LongVector f = counter.lanewise(LSHR, 32).mul(m0).lanewise(XOR, first2);
            counter = counter.add(LONGS);
            LongVector g = counter.lanewise(LSHR, 32).mul(m0).lanewise(XOR, first2);
            counter = counter.add(LONGS);
            LongVector h = counter.lanewise(LSHR, 32).mul(m0).lanewise(XOR, first2);
            counter = counter.add(LONGS);
            LongVector a = e.lanewise(LSHR, 32).mul(m1).lanewise(XOR, second0);
            LongVector b = f.lanewise(LSHR, 32).mul(m1).lanewise(XOR, second0);
            LongVector c = g.lanewise(LSHR, 32).mul(m1).lanewise(XOR, second0);
            LongVector d = h.lanewise(LSHR, 32).mul(m1).lanewise(XOR, second0);
            e = e.lanewise(LSHL, 32).lanewise(XOR, second2);
            f = f.lanewise(LSHL, 32).lanewise(XOR, second2);
            g = g.lanewise(LSHL, 32).lanewise(XOR, second2);
            h = h.lanewise(LSHL, 32).lanewise(XOR, second2);
            for (long key = plain; key < end; key += round) {
                LongVector key0 = LongVector.fromMemorySegment(L, ALL, key & ADDRESS, ORDER);
                LongVector key1 = LongVector.fromMemorySegment(L, ALL, key + V & ADDRESS, ORDER);
                LongVector ofA = a.lanewise(LSHR, 32).mul(m0);
                LongVector ofB = b.lanewise(LSHR, 32).mul(m0);
                LongVector ofC = c.lanewise(LSHR, 32).mul(m0);
                LongVector ofD = d.lanewise(LSHR, 32).mul(m0);
                a = a.lanewise(LSHL, 32).lanewise(XOR, key0).lanewise(XOR, e.lanewise(LSHR, 32).mul(m1));
                b = b.lanewise(LSHL, 32).lanewise(XOR, key0).lanewise(XOR, f.lanewise(LSHR, 32).mul(m1));
                c = c.lanewise(LSHL, 32).lanewise(XOR, key0).lanewise(XOR, g.lanewise(LSHR, 32).mul(m1));
                d = d.lanewise(LSHL, 32).lanewise(XOR, key0).lanewise(XOR, h.lanewise(LSHR, 32).mul(m1));
                e = e.lanewise(LSHL, 32).lanewise(XOR, key1).lanewise(XOR, ofA);
                f = f.lanewise(LSHL, 32).lanewise(XOR, key1).lanewise(XOR, ofB);
                g = g.lanewise(LSHL, 32).lanewise(XOR, key1).lanewise(XOR, ofC);
                h = h.lanewise(LSHL, 32).lanewise(XOR, key1).lanewise(XOR, ofD);
            }
            long to = address + 4L * i;
            a.intoMemorySegment(ALL, to & ADDRESS, ORDER);
            e.intoMemorySegment(ALL, to + V & ADDRESS, ORDER);
            b.intoMemorySegment(ALL, to + 2 * V & ADDRESS, ORDER);
            f.intoMemorySegment(ALL, to + 3 * V & ADDRESS, ORDER);
            c.intoMemorySegment(ALL, to + 4 * V & ADDRESS, ORDER);
            g.intoMemorySegment(ALL, to + 5 * V & ADDRESS, ORDER);
            d.intoMemorySegment(ALL, to + 6 * V & ADDRESS, ORDER);
            h.intoMemorySegment(ALL, to + 7 * V & ADDRESS, ORDER);
        }
    }
}
