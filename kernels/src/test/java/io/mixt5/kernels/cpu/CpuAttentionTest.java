package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.Dropout;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Philox;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Attention;
import io.mixt5.engine.op.Attention.Spec;
import io.mixt5.engine.op.SequenceLayout;
import io.mixt5.engine.reference.ReferenceAttention;
import io.mixt5.engine.reference.ReferenceBackend;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the op's own cases leave out: several blocks, few queries, odd widths and layouts, threads, single targets. */
@Tag("every-width")
class CpuAttentionTest {
    private static final Device HOST = Device.uncached(new ReferenceBackend());
    private static final Dropout DROPOUT = new Dropout(0.15f, 77, 3, 9);
    private static final List<String> RESULTS = List.of("out", "lse", "dq", "dk", "dv", "dtable");

    /**
     * One call.
     *
     * @param size elements of a head
     * @param biased whether there is a table
     * @param spare rows of q and k behind the layout's last
     */
    private record Call(Spec spec, int size, boolean biased, int spare) {
        static Call of(SequenceLayout layout, int heads, int size, boolean causal, boolean biased, boolean dropping) {
            return new Call(new Spec(heads, causal, !causal, 128, layout, dropping ? DROPOUT : Dropout.NONE), size,
                    biased, 0);
        }

        /**
         * Everything that a kernel computes, in the order of {@link #RESULTS}; null for what is not wanted. The buffers
         * of gradients hold ones before when they accumulate, and NaN otherwise.
         */
        double[][] run(Attention.Kernel kernel, DType dtype, boolean accumulate, boolean... wanted) {
            int heads = spec.heads();
            int queries = spec.layout().queryRows() + spare;
            int keys = spec.layout().keyRows() + spare;
            try (Tensor q = random(1, 0.6, dtype, queries, heads * size);
                    Tensor k = random(2, 0.6, dtype, keys, heads * size);
                    Tensor v = random(3, 1, dtype, keys, heads * size);
                    Tensor table = biased ? random(4, 1, dtype, 32, heads) : null;
                    Tensor dout = random(5, 1, dtype, queries, heads * size);
                    Tensor out = filled(0, dtype, queries, heads * size);
                    Tensor lse = filled(0, dtype, queries, heads)) {
                kernel.forward(q, k, v, table, spec, out, lse);
                Tensor[] inputs = {q, k, v, table};
                Target[] targets = new Target[inputs.length];
                for (int i = 0; i < inputs.length; i++) {
                    if (inputs[i] != null && (wanted.length == 0 || wanted[i])) {
                        targets[i] = new Target(filled(accumulate ? 1 : Double.NaN, dtype, inputs[i].shape().rows(),
                                inputs[i].shape().columns()), accumulate);
                    }
                }
                kernel.backward(q, k, v, table, spec, out, lse, dout, targets[0], targets[1], targets[2], targets[3]);
                double[][] results = new double[RESULTS.size()][];
                results[0] = read(out);
                results[1] = read(lse);
                for (int i = 0; i < targets.length; i++) {
                    if (targets[i] != null) {
                        results[2 + i] = read(targets[i].tensor());
                        targets[i].tensor().close();
                    }
                }
                return results;
            }
        }

        void equalsTheReference(boolean accumulate) {
            double[][] expected = run(new ReferenceAttention(), DType.F64, accumulate);
            double[][] actual = run(new CpuAttention(), DType.F32, accumulate);
            for (int i = 0; i < expected.length; i++) {
                if (expected[i] != null) {
                    close(RESULTS.get(i), expected[i], actual[i]);
                }
            }
        }
    }

    private static Tensor random(int stream, double deviation, DType dtype, long rows, long columns) {
        Tensor tensor = Tensor.create(HOST, dtype, Shape.of(rows, columns), "random");
        for (long i = 0; i < tensor.count(); i++) {
            tensor.set(i, (float) (deviation * Philox.normal(11, stream, 0, i)));
        }
        return tensor;
    }

    private static Tensor filled(double value, DType dtype, long rows, long columns) {
        Tensor tensor = Tensor.create(HOST, dtype, Shape.of(rows, columns), "filled");
        for (long i = 0; i < tensor.count(); i++) {
            tensor.set(i, value);
        }
        return tensor;
    }

    private static double[] read(Tensor tensor) {
        double[] values = new double[(int) tensor.count()];
        for (int i = 0; i < values.length; i++) {
            values[i] = tensor.get(i);
        }
        return values;
    }

    private static void close(String what, double[] expected, double[] actual) {
        double largest = 1;
        for (double value : expected) {
            largest = Math.max(largest, Double.isFinite(value) ? Math.abs(value) : 0);
        }
        for (int i = 0; i < expected.length; i++) {
            assertTrue(expected[i] == actual[i] || Math.abs(expected[i] - actual[i]) <= 1e-5 * largest,
                    what + "[" + i + "] is " + actual[i] + " instead of " + expected[i]);
        }
    }

    @ParameterizedTest
    @CsvSource({"false, true, true", "true, true, true", "false, false, false", "true, false, true"})
    void severalBlocksASequence(boolean causal, boolean biased, boolean dropping) {
        SequenceLayout layout = SequenceLayout.self(257, 128, 130, 3, 64);
        Call.of(layout, 2, 9, causal, biased, dropping).equalsTheReference(false);
    }

    @ParameterizedTest
    @CsvSource({"1", "4", "5", "16", "31", "64", "80", "128"})
    void anyWidthOfHeads(int size) {
        SequenceLayout layout = SequenceLayout.cross(new int[]{1, 2, 4, 5, 40}, new int[]{37, 16, 1, 33, 8});
        Call.of(layout, 3, size, false, true, true).equalsTheReference(true);
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void anyLengthUpToThreeVectors(boolean causal) {
        int[] lengths = new int[49];
        for (int i = 0; i < lengths.length; i++) {
            lengths[i] = i;
        }
        Call.of(SequenceLayout.self(lengths), 1, 8, causal, true, true).equalsTheReference(false);
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void sequencesWithoutKeysOrQueries(boolean causal) {
        SequenceLayout layout = SequenceLayout.cross(new int[]{3, 2, 0, 7, 140, 0}, new int[]{5, 0, 4, 3, 0, 0});
        Call.of(layout, 2, 8, causal, true, true).equalsTheReference(false);
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void rowsOfNoSequence(boolean accumulate) {
        SequenceLayout layout = new SequenceLayout(new int[]{8, 1, 3}, new int[]{6, 2, 3}, new int[]{2, 20, 13},
                new int[]{9, 6, 4}, new int[]{0, 2, 3});
        for (boolean causal : new boolean[]{false, true}) {
            Spec spec = new Spec(2, causal, !causal, 128, layout, DROPOUT);
            new Call(spec, 8, true, 3).equalsTheReference(accumulate);
        }
    }

    @Test
    void noSequenceAtAll() {
        SequenceLayout none = SequenceLayout.self();
        new Call(new Spec(2, false, true, 128, none, DROPOUT), 8, true, 3).equalsTheReference(false);
    }

    @Test
    void largeScoresNeitherOverflowNorVanish() {
        for (float score : new float[]{100, -200}) {
            try (Tensor q = filled(score, DType.F32, 1, 1);
                    Tensor k = Tensor.create(HOST, DType.F32, Shape.of(2, 1), "k").upload(new float[]{1, 1.25f});
                    Tensor v = Tensor.create(HOST, DType.F32, Shape.of(2, 1), "v").upload(new float[]{1, 3});
                    Tensor out = filled(0, DType.F32, 1, 1);
                    Tensor lse = filled(0, DType.F32, 1, 1)) {
                Spec spec = new Spec(1, false, true, 128, SequenceLayout.cross(new int[]{1}, new int[]{2}),
                        Dropout.NONE);
                new CpuAttention().forward(q, k, v, null, spec, out, lse);
                double first = 1 / (1 + Math.exp(0.25 * score));
                assertEquals(first + 3 * (1 - first), out.get(0), 1e-6);
                assertEquals(score - Math.log(first), lse.get(0), 1e-4);
            }
        }
    }

    @Test
    void gradientsDoNotDependOnWhichAreWanted() {
        Call call = Call.of(SequenceLayout.self(150, 20), 2, 16, true, true, true);
        double[][] all = call.run(new CpuAttention(), DType.F32, false);
        for (int i = 0; i < 4; i++) {
            boolean[] wanted = new boolean[4];
            wanted[i] = true;
            assertArrayEquals(all[2 + i], call.run(new CpuAttention(), DType.F32, false, wanted)[2 + i]);
        }
    }

    @Test
    void sameBitsOnOneThreadAsOnAll() {
        for (boolean causal : new boolean[]{false, true}) {
            Call call = Call.of(SequenceLayout.self(300, 50, 7, 128, 1), 4, 32, causal, true, true);
            double[][] all = call.run(new CpuAttention(), DType.F32, false);
            double[][] one = new double[RESULTS.size()][];
            // Within a task the pool's loops run on that task's thread.
            WorkerPool.forEach(1, (task, worker) -> System.arraycopy(call.run(new CpuAttention(), DType.F32, false), 0,
                    one, 0, one.length));
            for (int i = 0; i < all.length; i++) {
                assertArrayEquals(all[i], one[i], RESULTS.get(i));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"128", "256", "512"})
    void anyVectorWidth(int bits) throws Exception {
        if (bits != Lanes.F.vectorBitSize()) {
            Jvm.run(OneCall.class, "-Dmixt5.vectorBits=" + bits);
        }
    }

    /** Fails with an exit code when this process' width gives something else than the reference. */
    static final class OneCall {
        private OneCall() {
        }

        public static void main(String[] args) {
            Call.of(SequenceLayout.self(70, 1, 19), 2, 13, true, true, true).equalsTheReference(false);
        }
    }
}
