package io.mixt5.engine.op;

import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import java.util.List;

/**
 * The circumstances in which optimisers are tested, with two parameters, whose counts are those of places 2 and 1.
 *
 * @param counts updates that parameters have had
 * @param maxNorm as {@link Updates} has it; 0 without a norm
 * @param norm in place of that of the gradients; null for theirs
 * @param rows of the gradients of both; null where they do not matter
 */
record UpdateCase(String name, float[] counts, double maxNorm, Float norm, Integer... rows) {
    private static final double MAX_USABLE_NORM = 1e6;

    static List<UpdateCase> all() {
        return List.of(new UpdateCase("first update", new float[3], 0, null, null, null),
                new UpdateCase("later updates", new float[]{9, 99999, 1000}, 0, null, null, null),
                new UpdateCase("clipped", new float[]{9, 3, 2}, 0.5, null, null, null),
                new UpdateCase("rows counted", new float[]{9, 1, 7}, 0.5, null, 3, 1),
                new UpdateCase("matrix without rows", new float[]{9, 1, 7}, 0.5, null, 0, 5),
                new UpdateCase("vector without rows", new float[]{9, 1, 7}, 0, null, null, 0),
                new UpdateCase("NaN norm", new float[]{9, 1, 7}, 1, Float.NaN, null, 2),
                new UpdateCase("infinite norm", new float[]{9, 1, 7}, 1, Float.POSITIVE_INFINITY, null, 2),
                new UpdateCase("norm too large to use", new float[]{9, 1, 7}, 1, 2e6f, null, 2));
    }

    /** For parameters of these gradients. */
    Updates updates(Scope scope, Tensor... gradients) {
        Tensor tensor = null;
        if (norm != null) {
            tensor = scope.allocate(gradients[0].dtype().accumulator(), Shape.of(1), "norm").upload(new double[]{norm});
        } else if (maxNorm > 0) {
            tensor = GradNorm.apply(scope, List.of(gradients));
        }
        return new Updates(scope.floats(Shape.of(counts.length), counts, "counts"), tensor, maxNorm, MAX_USABLE_NORM);
    }

    /** The count of the first or the second gradient's rows. */
    Tensor rows(Scope scope, int slot) {
        return rows[slot] == null ? null : scope.ints(new int[]{rows[slot]}, "rows");
    }
}
