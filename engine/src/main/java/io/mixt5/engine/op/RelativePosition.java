package io.mixt5.engine.op;

/** T5's buckets of relative positions (Raffel et al., JMLR 2020, section 2.1; the formula is Mesh TensorFlow's). */
public final class RelativePosition {
    private RelativePosition() {
    }

    /**
     * Whether {@code maxDistance} lies past the distances that have a bucket of their own, as {@link #bucket} needs: at
     * least one a side, buckets / 4 of them when bidirectional and buckets / 2 otherwise.
     */
    public static boolean fits(boolean bidirectional, int buckets, int maxDistance) {
        int exact = (bidirectional ? buckets / 2 : buckets) / 2;
        return exact > 0 && maxDistance > exact;
    }

    /**
     * The bucket of {@code relative} = key position - query position, in [0, buckets).
     *
     * <p>Half of the buckets (a quarter a side when bidirectional) hold one distance each, the others grow
     * logarithmically up to {@code maxDistance}, beyond which all share the last.
     *
     * @param bidirectional whether keys after the query have buckets of their own; otherwise they all fall into bucket
     * 0
     */
    public static int bucket(int relative, boolean bidirectional, int buckets, int maxDistance) {
        int first = 0;
        int distance;
        int count = buckets;
        if (bidirectional) {
            count /= 2;
            first = relative > 0 ? count : 0;
            distance = Math.abs(relative);
        } else {
            distance = Math.max(-relative, 0);
        }
        int exact = count / 2;
        if (distance < exact) {
            return first + distance;
        }
        // In float, as PyTorch computes it: the truncation falls on the same side.
        float ratio = (float) Math.log((float) distance / exact) / (float) Math.log((double) maxDistance / exact);
        return first + Math.min(exact + (int) (ratio * (count - exact)), count - 1);
    }
}
