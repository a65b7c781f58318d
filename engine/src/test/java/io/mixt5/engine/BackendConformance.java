package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.fail;

import io.mixt5.engine.reference.ReferenceBackend;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * What every backend must pass: each case of each op equals the reference in every type that the backend takes,
 * gradients and their accumulation included, and nothing is written outside a buffer (on devices whose memory Java does
 * not see, the device has to notice that by itself). A backend's tests extend this class.
 */
public abstract class BackendConformance {
    private static final List<DType> FLOATS = List.of(DType.F32, DType.F16, DType.BF16);

    /** The backend under test. */
    protected abstract Backend backend();

    /** One test per op, case and type. */
    @TestFactory
    Stream<DynamicTest> equalsTheReference() {
        Backend backend = backend();
        return Ops.all().stream().flatMap(op -> op.cases().stream().flatMap(testCase -> FLOATS.stream()
                .filter(dtype -> backend.kernel(op.kernelType()).unsupported(dtype) == null)
                .map(dtype -> DynamicTest.dynamicTest(op.name() + ": " + testCase.name() + " " + dtype,
                        () -> compare(testCase, backend, dtype)))));
    }

    /** One test per op: implemented in every type or refused with a reason. */
    @TestFactory
    Stream<DynamicTest> isComplete() {
        return Ops.all().stream().map(op -> DynamicTest.dynamicTest(op.name(), () -> {
            assertFalse(op.cases().isEmpty(), "an op without cases is an op without tests");
            Kernel kernel = backend().kernel(op.kernelType());
            for (DType dtype : FLOATS) {
                String reason = kernel.unsupported(dtype);
                if (reason != null) {
                    assertFalse(reason.isBlank(), "a refusal needs a reason");
                }
            }
        }));
    }

    private static void compare(OpCase testCase, Backend backend, DType dtype) {
        GuardedBackend guarded = backend.hostVisible() ? new GuardedBackend(backend) : null;
        Device device = Device.uncached(guarded != null ? guarded : backend);
        assertEquals(backend.name(), device.name(), "the device that the case runs on");
        Device reference = Device.uncached(new ReferenceBackend());
        for (int passes = 1; passes <= 2; passes++) {
            CaseRun expected = CaseRun.of(testCase, reference, dtype, passes);
            CaseRun actual = CaseRun.of(testCase, device, dtype, passes);
            double tolerance = tolerance(testCase, dtype) * passes;
            for (int i = 0; i < expected.outputs.size(); i++) {
                close("output " + i, expected.outputs.get(i), actual.outputs.get(i), tolerance);
            }
            for (int i = 0; i < expected.gradients.size(); i++) {
                if (expected.gradients.get(i) != null) {
                    assertNotNull(actual.gradients.get(i), "gradient of " + testCase.inputs().get(i).name());
                    close("gradient of " + testCase.inputs().get(i).name() + " after " + passes + " passes",
                            expected.gradients.get(i), actual.gradients.get(i), tolerance);
                }
            }
        }
        if (guarded != null) {
            guarded.check();
        }
        assertEquals(0, device.liveTensors(), "tensors that were not closed");
    }

    private static double tolerance(OpCase testCase, DType dtype) {
        return switch (dtype) {
            case F16 -> Math.max(testCase.tolerance(), 4e-3);
            case BF16 -> Math.max(testCase.tolerance(), 3e-2);
            default -> testCase.tolerance();
        };
    }

    /** Fails unless every element is within {@code tolerance} of the largest expected one. */
    static void close(String what, double[] expected, double[] actual, double tolerance) {
        assertEquals(expected.length, actual.length, what);
        double largest = 0;
        for (double value : expected) {
            largest = Math.max(largest, Double.isFinite(value) ? Math.abs(value) : 0);
        }
        for (int i = 0; i < expected.length; i++) {
            boolean same = Double.compare(expected[i], actual[i]) == 0
                    || Math.abs(expected[i] - actual[i]) <= tolerance * largest + 1e-30;
            if (!same) {
                fail(what + ": element " + i + " is " + actual[i] + " instead of " + expected[i]
                        + ", the largest being " + largest);
            }
        }
    }
}
