package io.mixt5.train.run;

import io.mixt5.engine.Parameter;
import io.mixt5.engine.Scope;
import io.mixt5.engine.TapeWatch;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GradNorm;
import io.mixt5.model.Parameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Finds where infinite and undefined numbers come from: watches a pass that is run again because they came out of it. Reads
 * every result on the host, which is slow.
 */
final class FaultFinder implements TapeWatch {
    private String found;

    /** The first op that gave such a number, as words for a sentence; null when none has. */
    String found() {
        return found;
    }

    @Override
    public void forward(String op, int number, List<Tensor> outputs) {
        for (Tensor output : outputs) {
            if (found == null && !finite(output)) {
                found = "the first op to give such a number is " + op + ", number " + (number + 1)
                        + " of the forward pass, in its output " + output.dtype() + output.shape();
            }
        }
    }

    @Override
    public void backward(String op, int number, List<Tensor> inputs) {
        if (found != null) {
            return;
        }
        List<String> faulty = inputs.stream().filter(input -> !finite(input.grad())).map(Tensor::origin).sorted()
                .toList();
        if (!faulty.isEmpty()) {
            found = "the first op to give such a number is the backward of " + op + ", number " + (number + 1)
                    + " of the forward pass, in the gradient of " + String.join(" and ", faulty);
        }
    }

    /** The first weight that holds such a number, as words for a sentence; null when none does. */
    static String inWeights(Parameters parameters) {
        return parameters.all().stream().filter(parameter -> !finite(parameter.value())).findFirst()
                .map(parameter -> "the weight " + parameter.name() + " held such numbers before the step").orElse(null);
    }

    /** Which parameter has the largest gradient, as words for a sentence. */
    static String largestGradient(Parameters parameters) {
        Parameter largest = null;
        float most = -1;
        try (Scope scope = new Scope(parameters.device())) {
            for (Parameter parameter : parameters.all()) {
                Tensor gradient = parameter.value().grad();
                if (gradient != null) {
                    float norm = GradNorm.apply(scope, List.of(gradient)).toFloats()[0];
                    if (!(norm <= most)) {
                        most = norm;
                        largest = parameter;
                    }
                }
            }
        }
        return "the largest gradient is that of " + largest.name() + ", whose norm is " + most;
    }

    static boolean finite(Tensor tensor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment values = tensor.toHost(arena);
            for (long i = 0; i < tensor.count(); i++) {
                if (!Double.isFinite(tensor.dtype().load(values.address() + i * tensor.dtype().bytes()))) {
                    return false;
                }
            }
        }
        return true;
    }
}
