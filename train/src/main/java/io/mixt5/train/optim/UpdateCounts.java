package io.mixt5.train.optim;

import io.mixt5.engine.DType;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** How many updates each parameter has had: an expert that got no token in a step has none in it. */
final class UpdateCounts {
    /** The state's name in checkpoints. */
    static final String NAME = "updates";

    private final List<Parameter> parameters;
    private final Tensor counts;

    UpdateCounts(List<Parameter> parameters) {
        this.parameters = parameters;
        counts = Tensor.create(parameters.getFirst().value().device(), DType.F32, Shape.of(parameters.size()), NAME);
    }

    /** [P], one number a parameter; whole numbers, exact up to 2^24. */
    Tensor tensor() {
        return counts;
    }

    /** Counts one more update of each parameter that has a gradient, and returns those by the number of this update. */
    SortedMap<Integer, List<Parameter>> next() {
        float[] updates = counts.toFloats();
        SortedMap<Integer, List<Parameter>> due = new TreeMap<>();
        for (int i = 0; i < updates.length; i++) {
            Parameter parameter = parameters.get(i);
            if (parameter.value().grad() != null) {
                updates[i]++;
                due.computeIfAbsent((int) updates[i], count -> new ArrayList<>()).add(parameter);
            }
        }
        counts.upload(updates);
        return due;
    }
}
