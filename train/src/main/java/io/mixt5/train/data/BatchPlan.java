package io.mixt5.train.data;

import io.mixt5.engine.Philox;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which examples make which batch of an epoch: a pure function of the seed and the epoch, so that a resumed run goes on with
 * the very batches it would have seen.
 */
public final class BatchPlan {
    /** Batches whose examples are sorted by length together. */
    private static final int BATCHES_PER_GROUP = 50;
    /** Set apart from the streams that parameters and dropout draw from. */
    private static final int STREAM = 0x6261_7463;

    private BatchPlan() {
    }

    /**
     * The batches of an epoch, each an array of indices into {@code lengths}; the last may be short.
     *
     * @param lengths of the examples in tokens
     * @param groupByLength whether to shuffle, sort stretches of {@value #BATCHES_PER_GROUP} batches by length, and shuffle the
     *        batches, so that a batch holds examples of like length; otherwise just to shuffle
     */
    public static List<int[]> epoch(int[] lengths, int batchSize, boolean groupByLength, long seed, int epoch) {
        int[] order = shuffled(lengths.length, seed, 2 * epoch);
        if (groupByLength) {
            int group = batchSize * BATCHES_PER_GROUP;
            order = IntStream.range(0, (order.length + group - 1) / group).mapToObj(g -> g * group)
                    .flatMapToInt(sorted(order, lengths, group)).toArray();
        }
        List<int[]> batches = inOrder(order, batchSize);
        if (!groupByLength) {
            return batches;
        }
        int[] batchOrder = shuffled(batches.size(), seed, 2 * epoch + 1);
        return Arrays.stream(batchOrder).mapToObj(batches::get).toList();
    }

    /** Batches for evaluation: longest first, so that memory is reserved once and like lengths run together. */
    public static List<int[]> byLength(int[] lengths, int batchSize) {
        int[] order = IntStream.range(0, lengths.length).boxed().sorted(Comparator.comparingInt(i -> -lengths[i]))
                .mapToInt(i -> i).toArray();
        return inOrder(order, batchSize);
    }

    private static java.util.function.Function<Integer, IntStream> sorted(int[] order, int[] lengths, int group) {
        return from -> Arrays.stream(order, from, Math.min(order.length, from + group)).boxed()
                .sorted(Comparator.comparingInt(i -> -lengths[i])).mapToInt(i -> i);
    }

    private static List<int[]> inOrder(int[] order, int batchSize) {
        List<int[]> batches = new ArrayList<>();
        for (int from = 0; from < order.length; from += batchSize) {
            batches.add(Arrays.copyOfRange(order, from, Math.min(order.length, from + batchSize)));
        }
        return batches;
    }

    /** The numbers below {@code n} in random order (Fisher and Yates). */
    private static int[] shuffled(int n, long seed, int step) {
        int[] order = IntStream.range(0, n).toArray();
        for (int i = n - 1; i > 0; i--) {
            int j = (int) ((Philox.bits(seed, STREAM, step, i) & 0xffffffffL) * (i + 1) >>> 32);
            int moved = order[i];
            order[i] = order[j];
            order[j] = moved;
        }
        return order;
    }
}
