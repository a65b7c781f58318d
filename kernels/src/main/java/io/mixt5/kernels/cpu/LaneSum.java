package io.mixt5.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;

/**
 * The sum of a vector's lanes in one fixed order.
 *
 * <p>The Vector API leaves the order of its own {@code reduceLanes(ADD)} open, and uses it: interpreted code adds lane by
 * lane, compiled code in a tree, so that a result would change in the middle of a run. Here each step adds the upper half
 * to the lower.
 */
final class LaneSum {
    private static final VectorShuffle<Float> BY_8 = rotation(8);
    private static final VectorShuffle<Float> BY_4 = rotation(4);
    private static final VectorShuffle<Float> BY_2 = rotation(2);
    private static final VectorShuffle<Float> BY_1 = rotation(1);

    private LaneSum() {
    }

    private static VectorShuffle<Float> rotation(int by) {
        return VectorShuffle.iota(Lanes.F, by % Lanes.FLOATS, 1, true);
    }

    /** The sum of all lanes of a vector of {@link Lanes#F}. */
    static float of(FloatVector vector) {
        FloatVector sum = vector;
        if (Lanes.FLOATS > 8) {
            sum = sum.add(sum.rearrange(BY_8));
        }
        if (Lanes.FLOATS > 4) {
            sum = sum.add(sum.rearrange(BY_4));
        }
        sum = sum.add(sum.rearrange(BY_2));
        return sum.add(sum.rearrange(BY_1)).lane(0);
    }
}
