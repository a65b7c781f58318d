package io.mixt5.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.Backend;
import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.Gradients.Counted;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Philox;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GroupedLinear;
import io.mixt5.engine.reference.ReferenceBackend;
import io.mixt5.kernels.emulator.Emulator;
import io.mixt5.kernels.emulator.EmulatorSettings;
import io.mixt5.kernels.emulator.sanitizer.Sanitizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * {@link CudaGroupedLinear} on emulated devices that take different kernels, in small and large tiles, with gradients
 * that are not wanted and gradients to add to, which the op's own cases do not have.
 */
class CudaGroupedGemmTest {
    /** Experts without rows first, in between and last, one with one row, and three rows of nobody. */
    private static final int[] OFFSETS = {0, 0, 137, 138, 138, 150, 150};
    private static final int UNUSED = 3;
    private static final int EXPERTS = OFFSETS.length - 1;
    private static final int NOT_WANTED = 2;
    /** Columns of x and y: the second pair makes large tiles. */
    private static final int[][] SIDES = {{24, 40}, {136, 264}, {21, 67}};

    private static final class Results {
        private final Scope scope;
        private final DType dtype;
        private final List<double[]> all = new ArrayList<>();
        private int stream;

        Results(Scope scope, DType dtype) {
            this.scope = scope;
            this.dtype = dtype;
        }

        List<double[]> run(int in, int out) {
            Backend backend = scope.device().backend();
            GroupedLinear.Kernel kernel = backend.kernel(GroupedLinear.Kernel.class);
            Tensor offsets = scope.ints(OFFSETS, "offsets");
            int rows = OFFSETS[EXPERTS] + UNUSED;
            List<Tensor> weights = IntStream.range(0, EXPERTS).mapToObj(e -> normal(out, in)).toList();
            Tensor x = normal(rows, in);
            Tensor y = normal(rows, out);
            kernel.forward(x, weights, offsets, y);
            add(y);
            Tensor dy = normal(rows, out);
            for (boolean accumulate : new boolean[]{false, true}) {
                Target dx = new Target(normal(rows, in), accumulate);
                kernel.backwardInput(dy, weights, offsets, dx);
                add(dx.tensor());
                List<Target> targets = new ArrayList<>();
                for (int e = 0; e < EXPERTS; e++) {
                    targets.add(new Target(normal(out, in), accumulate == (e % 2 == 0)));
                }
                double[] before = targets.get(NOT_WANTED).tensor().toDoubles();
                Tensor rowsOfAll = scope.ints(new int[]{77}, "rows");
                List<Counted> wanted = new ArrayList<>();
                for (int e = 0; e < EXPERTS; e++) {
                    // The last expert's rows do not matter; those before share a count.
                    Target counts = e == EXPERTS - 1 ? null : new Target(rowsOfAll, accumulate || e > 0);
                    wanted.add(e == NOT_WANTED ? null : new Counted(targets.get(e), counts));
                }
                kernel.backwardWeights(dy, x, offsets, wanted);
                assertArrayEquals(before, targets.get(NOT_WANTED).tensor().toDoubles());
                targets.forEach(target -> add(target.tensor()));
                add(rowsOfAll);
            }
            return all;
        }

        private void add(Tensor tensor) {
            all.add(tensor.toDoubles());
        }

        private Tensor normal(long... dims) {
            Tensor tensor = scope.allocate(dtype, Shape.of(dims), "input");
            double[] values = new double[(int) tensor.count()];
            stream++;
            for (int i = 0; i < values.length; i++) {
                values[i] = Philox.normal(5, stream, 0, i);
            }
            return tensor.upload(values);
        }
    }

    @TestFactory
    Stream<DynamicTest> equalsTheReference() {
        List<DynamicTest> tests = new ArrayList<>();
        for (int capability : new int[]{75, 80}) {
            Backend backend = new CudaBackend("emulator", () -> new Emulator(EmulatorSettings.DEFAULT
                    .withCapability(capability).withMonitor(new Sanitizer()).withOrder(capability)), 0);
            for (DType dtype : new DType[]{DType.F32, DType.F16, DType.BF16}) {
                for (int[] sides : SIDES) {
                    tests.add(DynamicTest.dynamicTest(dtype + " " + Arrays.toString(sides) + " on " + capability,
                            () -> compare(backend, dtype, sides)));
                }
            }
        }
        return tests.stream();
    }

    private static void compare(Backend backend, DType dtype, int[] sides) {
        double tolerance = dtype == DType.F32 ? 1e-5 : dtype == DType.F16 ? 1e-3 : 8e-3;
        try (Scope reference = new Scope(Device.uncached(new ReferenceBackend()));
                Scope scope = new Scope(Device.uncached(backend))) {
            List<double[]> expected = new Results(reference, dtype).run(sides[0], sides[1]);
            List<double[]> actual = new Results(scope, dtype).run(sides[0], sides[1]);
            assertEquals(expected.size(), actual.size());
            for (int i = 0; i < expected.size(); i++) {
                double largest = Arrays.stream(expected.get(i)).map(Math::abs).max().orElse(0);
                assertArrayEquals(expected.get(i), actual.get(i), tolerance * largest, "result " + i);
            }
        }
    }
}
