package io.mixt5.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.mixt5.engine.Backend;
import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Philox;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Combine;
import io.mixt5.engine.op.Dispatch;
import io.mixt5.engine.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * {@link CudaDispatch} and {@link CudaCombine} on rows of every alignment, which the ops' own cases do not have: widths
 * by 16 bytes, by less, longer than a warp moves at once, and none.
 */
class CudaRoutedRowsTest {
    private static final int TOKENS = 19;
    private static final int CHOICES = 3;
    private static final int UNUSED = 4;
    private static final long[] WIDTHS = {0, 1, 8, 12, 21, 256, 520};

    /** The kernels' results on some device, as doubles. */
    private static final class Results {
        private final List<double[]> all = new ArrayList<>();
        private final Scope scope;
        private final DType dtype;
        private final long width;
        private int stream;

        Results(Scope scope, DType dtype, long width) {
            this.scope = scope;
            this.dtype = dtype;
            this.width = width;
        }

        List<double[]> run() {
            Backend backend = scope.device().backend();
            // Each entry whose number is no multiple of 4 has the row of that rank, in another order than the tokens'.
            int[] slots = new int[TOKENS * CHOICES];
            Arrays.fill(slots, -1);
            int used = (int) Arrays.stream(entries()).count();
            int[] tokens = new int[used + UNUSED];
            Arrays.fill(tokens, -1);
            int rank = 0;
            for (int entry : entries()) {
                int row = rank++ * 5 % used;
                slots[entry] = row;
                tokens[row] = entry / CHOICES;
            }
            assertNotEquals(0, used % 5, "5 generates all rows");
            Tensor places = scope.allocate(DType.I32, Shape.of(TOKENS, CHOICES), "slots").upload(slots);
            Tensor rows = scope.ints(tokens, "tokens");
            Dispatch.Kernel dispatch = backend.kernel(Dispatch.Kernel.class);
            Combine.Kernel combine = backend.kernel(Combine.Kernel.class);
            Tensor x = normal(dtype, TOKENS, width);
            Tensor y = normal(dtype, tokens.length, width);
            Tensor weights = normal(dtype.accumulator(), TOKENS, CHOICES);
            Tensor sum = normal(dtype, TOKENS, width);
            dispatch.forward(x, places, rows, y);
            combine.forward(y, weights, places, sum);
            add(y, sum);
            for (boolean accumulate : new boolean[]{false, true}) {
                Target dx = target(dtype, accumulate, TOKENS, width);
                dispatch.backward(y, places, dx);
                Target dy = target(dtype, accumulate, tokens.length, width);
                Target dweights = target(dtype.accumulator(), accumulate, TOKENS, CHOICES);
                Target alone = target(dtype, accumulate, tokens.length, width);
                Target weightsAlone = target(dtype.accumulator(), accumulate, TOKENS, CHOICES);
                combine.backward(sum, y, weights, places, rows, dy, dweights);
                add(dx.tensor(), dy.tensor(), dweights.tensor());
                if (backend instanceof CudaBackend) {
                    combine.backward(sum, y, weights, places, rows, alone, null);
                    combine.backward(sum, y, weights, places, rows, null, weightsAlone);
                } else {
                    // The reference wants both at once.
                    combine.backward(sum, y, weights, places, rows, alone, weightsAlone);
                }
                add(alone.tensor(), weightsAlone.tensor());
            }
            return all;
        }

        private static int[] entries() {
            return java.util.stream.IntStream.range(0, TOKENS * CHOICES)
                    .filter(entry -> entry % 4 != 0 && entry / CHOICES != 7).toArray();
        }

        private void add(Tensor... tensors) {
            Stream.of(tensors).map(Tensor::toDoubles).forEach(all::add);
        }

        private Target target(DType type, boolean accumulate, long... dims) {
            return new Target(normal(type, dims), accumulate);
        }

        private Tensor normal(DType type, long... dims) {
            Tensor tensor = scope.allocate(type, Shape.of(dims), "input");
            double[] values = new double[(int) tensor.count()];
            stream++;
            for (int i = 0; i < values.length; i++) {
                values[i] = Philox.normal(5, stream, 0, i);
            }
            return tensor.upload(values);
        }
    }

    @TestFactory
    Stream<DynamicTest> equalTheReference() {
        return Stream.of(DType.F32, DType.F16, DType.BF16).flatMap(dtype -> Arrays.stream(WIDTHS)
                .mapToObj(width -> DynamicTest.dynamicTest(dtype + ", width " + width, () -> compare(dtype, width))));
    }

    private static void compare(DType dtype, long width) {
        double tolerance = dtype == DType.F32 ? 1e-5 : dtype == DType.F16 ? 4e-3 : 3e-2;
        try (Scope reference = new Scope(Device.uncached(new ReferenceBackend()));
                Scope scope = new Scope(Device.uncached(CudaDevices.backend()))) {
            List<double[]> expected = new Results(reference, dtype, width).run();
            List<double[]> actual = new Results(scope, dtype, width).run();
            assertEquals(expected.size(), actual.size());
            for (int i = 0; i < expected.size(); i++) {
                double largest = Arrays.stream(expected.get(i)).map(Math::abs).max().orElse(0);
                for (int j = 0; j < expected.get(i).length; j++) {
                    assertEquals(expected.get(i)[j], actual.get(i)[j], tolerance * largest, "result " + i + ", " + j);
                }
            }
        }
    }
}
