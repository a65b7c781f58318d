package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.reference.ReferenceBackend;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The reference's gradients against central differences, in double. */
class ReferenceGradientTest {
    private static final double STEP = 1e-5;
    private static final int ELEMENTS = 24;

    private final Device device = Device.uncached(new ReferenceBackend());

    @TestFactory
    Stream<DynamicTest> equalsCentralDifferences() {
        return Ops.all().stream()
                .flatMap(op -> op.cases().stream().filter(c -> !c.straightThrough())
                        .filter(c -> c.inputs().stream().anyMatch(OpCase.Input::grad))
                        .map(c -> DynamicTest.dynamicTest(op.name() + ": " + c.name(), () -> check(c))));
    }

    private void check(OpCase testCase) {
        CaseRun run = CaseRun.of(testCase, device, DType.F64, 1);
        for (int input = 0; input < testCase.inputs().size(); input++) {
            if (!testCase.inputs().get(input).grad()) {
                continue;
            }
            double[] gradient = run.gradients.get(input);
            if (gradient == null) {
                // Nothing was computed, so nothing may depend on the input.
                gradient = new double[(int) testCase.inputs().get(input).shape().count()];
            }
            double largest = 1e-3;
            for (double value : gradient) {
                largest = Math.max(largest, Math.abs(value));
            }
            for (int element = 0; element < gradient.length; element += Math.max(1, gradient.length / ELEMENTS)) {
                double difference = CaseRun.loss(testCase, device, input, element, STEP)
                        - CaseRun.loss(testCase, device, input, element, -STEP);
                assertEquals(difference / (2 * STEP), gradient[element], 1e-6 * largest,
                        testCase.inputs().get(input).name() + " element " + element);
            }
        }
        assertEquals(0, device.liveTensors());
    }
}
