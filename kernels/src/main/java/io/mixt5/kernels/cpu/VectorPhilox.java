package io.mixt5.kernels.cpu;

import io.mixt5.engine.Dropout;
import io.mixt5.engine.Philox;
import io.mixt5.engine.RandomStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/**
 * Random numbers, many at a time; bit for bit those of {@link Philox}.
 *
 * <p>A lane of long carries one 32-bit word of one counter, so that the product of two words is one multiplication of
 * which the upper halves of both sides are no part (vpmuludq; the masks below tell the compiler that it may use it).
 */
final class VectorPhilox {
    /** Numbers are written in multiples of so many floats: the four words of as many counters as there are longs. */
    static final int GROUP = 2 * Lanes.FLOATS;

    private static final int LONGS = Lanes.L.length();
    private static final long LOW = 0xffffffffL;

    /**
     * The counter of each lane, relative to the first: the lower half of the counters in the even lanes, the upper half
     * in the odd ones. A swap of neighbours and a blend then put all words into the order of their elements.
     */
    private static final LongVector COUNTERS = LongVector.fromArray(Lanes.L, counters(), 0);
    // On pairs of ints, since two lanes of long are too few for the compiler to shuffle.
    private static final VectorShuffle<Integer> SWAP = VectorShuffle.fromOp(Lanes.I, lane -> lane ^ 2);
    private static final VectorMask<Integer> ODD = VectorMask.fromLong(Lanes.I, 0xCCCCCCCCCCCCCCCCL);

    private VectorPhilox() {
    }

    private static long[] counters() {
        long[] counters = new long[LONGS];
        for (int lane = 0; lane < LONGS; lane++) {
            counters[lane] = lane / 2 + lane % 2 * (LONGS / 2);
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
        draw(dropout.seed(), dropout.stream(), dropout.step(), firstIndex, n, address, false, dropout.threshold() << 8,
                dropout.scale());
    }

    /**
     * Writes {@link RandomStream#uniform} of the elements from {@code firstIndex} as floats; the arguments are as those
     * of {@link #factors}.
     */
    static void uniforms(RandomStream stream, long firstIndex, int n, long address) {
        draw(stream.seed(), stream.id(), stream.step(), firstIndex, n, address, true, 0, 0);
    }

    private static void draw(long seed, int id, int at, long firstIndex, int n, long address, boolean uniform,
            int threshold, float scale) {
        LongVector m0 = LongVector.broadcast(Lanes.L, Philox.M0 & LOW).and(LOW);
        LongVector m1 = LongVector.broadcast(Lanes.L, Philox.M1 & LOW).and(LOW);
        LongVector key0 = LongVector.broadcast(Lanes.L, seed);
        LongVector key1 = LongVector.broadcast(Lanes.L, seed >>> 32);
        LongVector stream = LongVector.broadcast(Lanes.L, (long) id);
        LongVector step = LongVector.broadcast(Lanes.L, (long) at);
        LongVector counter = COUNTERS.add(firstIndex >>> 2);
        for (int i = 0; i < n; i += GROUP) {
            LongVector c0 = counter;
            LongVector c1 = counter.lanewise(VectorOperators.LSHR, 32);
            LongVector c2 = stream;
            LongVector c3 = step;
            LongVector k0 = key0;
            LongVector k1 = key1;
            for (int round = 0; round < 10; round++) {
                LongVector p0 = c0.and(LOW).mul(m0);
                LongVector p1 = c2.and(LOW).mul(m1);
                c0 = xor(p1.lanewise(VectorOperators.LSHR, 32), c1, k0);
                c1 = p1;
                c2 = xor(p0.lanewise(VectorOperators.LSHR, 32), c3, k1);
                c3 = p0;
                k0 = k0.add(Philox.W0);
                k1 = k1.add(Philox.W1);
            }
            IntVector words01 = pair(c0, c1);
            IntVector words23 = pair(c2, c3);
            store(words01.blend(words23.rearrange(SWAP), ODD), uniform, threshold, scale, address + 4L * i);
            store(words01.rearrange(SWAP).blend(words23, ODD), uniform, threshold, scale,
                    address + 4L * (i + Lanes.FLOATS));
            counter = counter.add(LONGS);
        }
    }

    private static LongVector xor(LongVector a, LongVector b, LongVector c) {
        return a.lanewise(VectorOperators.XOR, b).lanewise(VectorOperators.XOR, c);
    }

    /** The lower halves of {@code even} and {@code odd} in turn. */
    private static IntVector pair(LongVector even, LongVector odd) {
        return even.and(LOW).or(odd.lanewise(VectorOperators.LSHL, 32)).reinterpretAsInts();
    }

    /** Stores uniforms, or, for dropout, {@code scale} where the bits are at least the threshold and else 0. */
    private static void store(IntVector bits, boolean uniform, int threshold, float scale, long address) {
        if (uniform) {
            Vector<Float> integers = bits.lanewise(VectorOperators.LSHR, 8).convert(VectorOperators.I2F, 0);
            Floats.store(address, ((FloatVector) integers).mul(0x1p-24f));
        } else {
            VectorMask<Float> kept = bits.compare(VectorOperators.UGE, threshold).cast(Lanes.F);
            Floats.store(address, FloatVector.zero(Lanes.F).blend(scale, kept));
        }
    }
}
