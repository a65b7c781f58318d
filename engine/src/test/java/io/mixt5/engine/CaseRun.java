package io.mixt5.engine;

import java.util.ArrayList;
import java.util.List;

/** Runs an {@link OpCase} and reads everything it computes. */
public final class CaseRun {
    /** The outputs, in order. */
    public final List<double[]> outputs = new ArrayList<>();
    /** The gradient of each input, null where there is none. */
    public final List<double[]> gradients = new ArrayList<>();

    private CaseRun() {
    }

    /**
     * Runs a case forward and, where its outputs have gradients, backward from fixed random output gradients.
     *
     * @param passes how often; gradients accumulate over the passes
     */
    public static CaseRun of(OpCase testCase, Device device, DType dtype, int passes) {
        CaseRun run = new CaseRun();
        try (Scope scope = new Scope(device)) {
            List<Tensor> inputs = inputs(testCase, scope, dtype);
            for (int pass = 0; pass < passes; pass++) {
                Tape tape = Tape.recording(scope);
                List<Tensor> outputs = testCase.body().run(tape, inputs);
                run.outputs.clear();
                outputs.forEach(output -> run.outputs.add(output.toDoubles()));
                List<Tensor> reached = outputs.stream().filter(Tensor::requiresGrad).filter(o -> !inputs.contains(o))
                        .toList();
                Tensor[] seeds = new Tensor[reached.size()];
                for (int i = 0; i < seeds.length; i++) {
                    seeds[i] = scope.allocate(reached.get(i).dtype(), reached.get(i).shape(), "seed");
                    double[] values = new double[(int) seeds[i].count()];
                    for (int j = 0; j < values.length; j++) {
                        values[j] = seed(i, j);
                    }
                    seeds[i].upload(values);
                }
                tape.backward(reached.toArray(Tensor[]::new), seeds);
            }
            for (Tensor input : inputs) {
                run.gradients.add(input.grad() == null ? null : input.grad().toDoubles());
            }
        }
        return run;
    }

    /** The weighted sum of a case's outputs whose gradient {@link #gradients} holds, with one input element moved. */
    static double loss(OpCase testCase, Device device, int input, long element, double move) {
        try (Scope scope = new Scope(device)) {
            List<Tensor> inputs = inputs(testCase, scope, DType.F64);
            inputs.get(input).set(element, inputs.get(input).get(element) + move);
            List<Tensor> outputs = testCase.body().run(Tape.recording(scope), inputs).stream()
                    .filter(Tensor::requiresGrad)
                    .filter(o -> !inputs.contains(o)).toList();
            double sum = 0;
            for (int i = 0; i < outputs.size(); i++) {
                for (long j = 0; j < outputs.get(i).count(); j++) {
                    sum += outputs.get(i).get(j) * seed(i, j);
                }
            }
            return sum;
        }
    }

    private static double seed(int output, long element) {
        return Philox.normal(7, output, 1, element);
    }

    private static List<Tensor> inputs(OpCase testCase, Scope scope, DType dtype) {
        List<Tensor> inputs = new ArrayList<>();
        for (OpCase.Input input : testCase.inputs()) {
            Tensor tensor = scope.allocate(input.integer() ? DType.I32 : dtype, input.shape(), input.name());
            double[] values = new double[(int) tensor.count()];
            for (int i = 0; i < values.length; i++) {
                values[i] = input.fill().value(inputs.size(), i);
            }
            tensor.upload(values);
            inputs.add(input.grad() ? tensor.requireGrad() : tensor);
        }
        return inputs;
    }
}
