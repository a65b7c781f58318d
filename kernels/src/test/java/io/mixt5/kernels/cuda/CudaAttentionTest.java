package io.mixt5.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.Dropout;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Philox;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Attention;
import io.mixt5.engine.op.Attention.Spec;
import io.mixt5.engine.op.SequenceLayout;
import io.mixt5.engine.reference.ReferenceBackend;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the op's own cases leave out: all widths of heads, odd layouts, several blocks, single targets, refusals. */
class CudaAttentionTest {
    private static final Dropout DROPOUT = new Dropout(0.15f, 77, 3, 9);
    private static final List<String> RESULTS = List.of("out", "lse", "dq", "dk", "dv", "dtable");

    /**
     * One call.
     *
     * @param size elements of a head
     * @param buckets of the table
     * @param spare rows of k and v behind the layout's last
     */
    private record Call(Spec spec, int size, int buckets, int spare) {
        static Call of(SequenceLayout layout, int heads, int size, boolean causal) {
            return new Call(new Spec(heads, causal, !causal, 20, layout, DROPOUT), size, 16, 3);
        }

        /**
         * Everything that a kernel computes, in the order of {@link #RESULTS}; null for what is not wanted. The buffers
         * of gradients hold ones before when they accumulate, and NaN otherwise.
         */
        double[][] run(Device device, DType dtype, boolean accumulate, boolean... wanted) {
            int heads = spec.heads();
            int queries = spec.layout().queryRows();
            int keys = spec.layout().keyRows() + spare;
            Attention.Kernel kernel = device.backend().kernel(Attention.Kernel.class);
            try (Scope scope = new Scope(device)) {
                Tensor q = random(scope, 1, 0.4, dtype, queries, heads * size);
                Tensor k = random(scope, 2, 0.4, dtype, keys, heads * size);
                Tensor v = random(scope, 3, 1, dtype, keys, heads * size);
                Tensor table = random(scope, 4, 1, dtype, buckets, heads);
                Tensor dout = random(scope, 5, 1, dtype, queries, heads * size);
                Tensor out = scope.allocate(dtype, q.shape(), "out");
                Tensor lse = scope.allocate(dtype.accumulator(), Shape.of(queries, heads), "lse");
                kernel.forward(q, k, v, table, spec, out, lse);
                Tensor[] inputs = {q, k, v, table};
                Target[] targets = new Target[inputs.length];
                for (int i = 0; i < inputs.length; i++) {
                    if (wanted.length == 0 || wanted[i]) {
                        double[] before = new double[(int) inputs[i].count()];
                        Arrays.fill(before, accumulate ? 1 : Double.NaN);
                        targets[i] = new Target(scope.allocate(dtype, inputs[i].shape(), "gradient").upload(before),
                                accumulate);
                    }
                }
                kernel.backward(q, k, v, table, spec, out, lse, dout, targets[0], targets[1], targets[2], targets[3]);
                double[][] results = new double[RESULTS.size()][];
                results[0] = out.toDoubles();
                results[1] = lse.toDoubles();
                for (int i = 0; i < targets.length; i++) {
                    results[2 + i] = targets[i] == null ? null : targets[i].tensor().toDoubles();
                }
                return results;
            }
        }

        void equalsTheReference(boolean accumulate) {
            double[][] expected = run(Device.uncached(new ReferenceBackend()), DType.F64, accumulate);
            close(expected, run(device(), DType.F32, accumulate), 1e-5);
            close(expected, run(device(), DType.F16, accumulate), 2e-2);
            close(expected, run(device(), DType.BF16, accumulate), 6e-2);
        }

        private static void close(double[][] expected, double[][] actual, double tolerance) {
            for (int i = 0; i < expected.length; i++) {
                double largest = Arrays.stream(expected[i]).filter(Double::isFinite).map(Math::abs).max().orElse(0);
                for (int j = 0; j < expected[i].length; j++) {
                    double difference = Math.abs(expected[i][j] - actual[i][j]);
                    assertTrue(expected[i][j] == actual[i][j] || difference <= tolerance * Math.max(1, largest),
                            RESULTS.get(i) + "[" + j + "] is " + actual[i][j] + " instead of " + expected[i][j]);
                }
            }
        }
    }

    private static Device device() {
        return Device.uncached(CudaDevices.backend());
    }

    private static Tensor random(Scope scope, int stream, double deviation, DType dtype, long rows, long columns) {
        double[] values = new double[(int) (rows * columns)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (deviation * Philox.normal(11, stream, 0, i));
        }
        return scope.allocate(dtype, Shape.of(rows, columns), "random").upload(values);
    }

    /** Widths by 16 bytes and by less; one sequence has no keys, one no queries. */
    @ParameterizedTest
    @CsvSource({"1, false", "6, true", "36, false", "64, true", "72, true", "77, false", "128, false"})
    void anyWidthOfHeads(int size, boolean accumulate) {
        SequenceLayout layout = SequenceLayout.cross(new int[]{1, 3, 0, 35}, new int[]{37, 0, 2, 8});
        Call.of(layout, 2, size, false).equalsTheReference(accumulate);
    }

    @ParameterizedTest
    @CsvSource({"8, true", "8, false", "80, true"})
    void severalBlocksASequence(int size, boolean causal) {
        Call.of(SequenceLayout.self(100, 1, 65), 1, size, causal).equalsTheReference(false);
    }

    /** Queries that continue a cache, and rows of keys between the sequences, which belong to none. */
    @ParameterizedTest
    @CsvSource({"true", "false"})
    void queriesBehindACache(boolean accumulate) {
        SequenceLayout layout = new SequenceLayout(new int[]{0, 3, 4}, new int[]{3, 1, 34}, new int[]{5, 50, 60},
                new int[]{40, 1, 70}, new int[]{37, 0, 36});
        Call.of(layout, 2, 8, true).equalsTheReference(accumulate);
    }

    @Test
    void aloneOrTogetherGradientsAreTheSameBits() {
        Call call = Call.of(SequenceLayout.self(40, 7), 2, 12, true);
        double[][] all = call.run(device(), DType.F32, false);
        for (int i = 0; i < 4; i++) {
            boolean[] wanted = new boolean[4];
            wanted[i] = true;
            double[][] alone = call.run(device(), DType.F32, false, wanted);
            for (int j = 0; j < all.length; j++) {
                assertArrayEquals(j < 2 || j == 2 + i ? all[j] : null, alone[j], RESULTS.get(j));
            }
        }
    }

    @Test
    void saysWhatDoesNotFit() {
        assertEquals("attention on CUDA takes heads of up to 128 elements, not 129",
                refusal(Call.of(SequenceLayout.self(2), 1, 129, true)));
        SequenceLayout overlapping = new SequenceLayout(new int[]{0, 2}, new int[]{2, 2}, new int[]{0, 1},
                new int[]{2, 2}, new int[2]);
        assertEquals("attention's gradients on CUDA take sequences that share no rows; row 1 has two",
                refusal(Call.of(overlapping, 1, 4, true)));
    }

    private static String refusal(Call call) {
        return assertThrows(UnsupportedOperationException.class, () -> call.run(device(), DType.F32, false))
                .getMessage();
    }
}
