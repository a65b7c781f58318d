package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.fail;

import io.mixt5.engine.op.Attention;
import io.mixt5.engine.op.CrossEntropy;
import io.mixt5.engine.op.Embedding;
import io.mixt5.engine.op.GatedGelu;
import io.mixt5.engine.op.GradNorm;
import io.mixt5.engine.op.Linear;
import io.mixt5.engine.op.RelativePosition;
import io.mixt5.engine.op.Relu;
import io.mixt5.engine.op.RmsNorm;
import io.mixt5.engine.op.SequenceLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * What every backend must pass: in F32 each op gives PyTorch's numbers, forward, backward and over several updates. A
 * backend's tests extend this class.
 *
 * <p>The largest allowed error is relative to the largest element of a row where rows are independent and differ in
 * size by design (rms_norm), else of the tensor.
 */
public abstract class BackendGoldens {
    private static final double TOLERANCE = 2e-6;
    /** Where probabilities are computed again from an F32 log-sum-exp: half an ulp of it, near 100, is 4e-6 of them. */
    private static final double SOFTMAX = 1e-5;

    /** The backend under test. */
    protected abstract Backend backend();

    /** One test per committed case. */
    @TestFactory
    Stream<DynamicTest> equalsPyTorch() {
        Backend backend = backend();
        return Golden.all().stream()
                .map(golden -> DynamicTest.dynamicTest(golden.name(), () -> compare(golden, backend)));
    }

    private static void compare(Golden golden, Backend backend) {
        Device device = Device.uncached(backend.hostVisible() ? new GuardedBackend(backend) : backend);
        assertEquals(backend.name(), device.name(), "the device that the case runs on");
        try (Scope scope = new Scope(device)) {
            switch (golden.op()) {
                case "rms_norm" -> rmsNorm(golden, scope);
                case "linear" -> new Pass(golden, scope, "x", "weight")
                        .check((tape, in) -> Linear.apply(tape, in.get("x"), in.get("weight")), TOLERANCE);
                case "gated_gelu" -> new Pass(golden, scope, "a", "b")
                        .check((tape, in) -> GatedGelu.apply(tape, in.get("a"), in.get("b"), Dropout.NONE), TOLERANCE);
                case "relu" -> new Pass(golden, scope, "x")
                        .check((tape, in) -> Relu.apply(tape, in.get("x"), Dropout.NONE), 0);
                case "cross_entropy" -> crossEntropy(golden, scope);
                case "embedding" -> embedding(golden, scope);
                case "relative_position" -> relativePosition(golden);
                case "attention" -> attention(golden, scope);
                case "adamw" -> OptimizerGoldens.adamW(golden, scope);
                case "adafactor" -> OptimizerGoldens.adafactor(golden, scope);
                case "clip_grad_norm" -> clipGradNorm(golden, scope);
                case "moe" -> MixtureGoldens.check(golden, scope);
                default -> fail("nobody compares the op " + golden.op());
            }
        }
        assertEquals(0, device.liveTensors(), "tensors that were not closed");
    }

    private static void rmsNorm(Golden golden, Scope scope) {
        float eps = (float) golden.attribute("eps").asDouble();
        Pass pass = new Pass(golden, scope, "x", "weight");
        pass.rowsApart = true;
        pass.check((tape, in) -> RmsNorm.apply(tape, in.get("x"), in.get("weight"), eps), TOLERANCE);
    }

    private static void crossEntropy(Golden golden, Scope scope) {
        assertEquals(CrossEntropy.IGNORE, golden.attribute("ignore_index").asInt());
        Tensor labels = scope.ints(golden.ints("labels"), "labels");
        new Pass(golden, scope, "logits")
                .check((tape, in) -> CrossEntropy.apply(tape, in.get("logits"), labels), SOFTMAX);
    }

    private static void embedding(Golden golden, Scope scope) {
        Tensor ids = scope.ints(golden.ints("ids"), "ids");
        Pass pass = new Pass(golden, scope, "table");
        pass.check((tape, in) -> Embedding.apply(tape, in.get("table"), ids), TOLERANCE);
        close("y", golden.floats("y"), pass.y, 0);
    }

    private static void relativePosition(Golden golden) {
        int buckets = golden.attribute("num_buckets").asInt();
        int maxDistance = golden.attribute("max_distance").asInt();
        int[] relative = golden.ints("relative");
        int[] bidirectional = golden.ints("bidirectional");
        int[] causal = golden.ints("causal");
        for (int i = 0; i < relative.length; i++) {
            assertEquals(bidirectional[i], RelativePosition.bucket(relative[i], true, buckets, maxDistance),
                    "distance " + relative[i] + ", bidirectional");
            assertEquals(causal[i], RelativePosition.bucket(relative[i], false, buckets, maxDistance),
                    "distance " + relative[i] + ", causal");
        }
    }

    private static void attention(Golden golden, Scope scope) {
        boolean causal = golden.attribute("causal").asBoolean();
        boolean biased = golden.attribute("num_buckets").asInt() > 0;
        int heads = (int) golden.shape("q").dim(2);
        int[] queries = golden.ints("query_lengths");
        int[] keys = golden.ints("key_lengths");
        Attention.Spec spec = new Attention.Spec(heads, causal, !causal, golden.attribute("max_distance").asInt(),
                SequenceLayout.cross(queries, keys), Dropout.NONE);
        if (golden.has("bias")) {
            bias(golden, spec);
        }
        String[] inputs = biased ? new String[]{"q", "k", "v", "table"} : new String[]{"q", "k", "v"};
        Pass pass = new Pass(golden, scope, inputs);
        pass.ragged(queries, "q", "y", "dy");
        pass.ragged(keys, "k", "v");
        pass.check((tape, in) -> Attention.apply(tape, in.get("q"), in.get("k"), in.get("v"), in.get("table"), spec),
                SOFTMAX);
    }

    /** The bias [H, Sq, Sk] that transformers adds is the table's, through the buckets. */
    private static void bias(Golden golden, Attention.Spec spec) {
        float[] bias = golden.floats("bias");
        float[] table = golden.floats("table");
        int queries = (int) golden.shape("bias").dim(1);
        int keys = (int) golden.shape("bias").dim(2);
        for (int at = 0; at < bias.length; at++) {
            int relative = at % keys - at / keys % queries;
            int bucket = RelativePosition.bucket(relative, spec.bidirectional(),
                    golden.attribute("num_buckets").asInt(), spec.maxDistance());
            assertEquals(bias[at], table[bucket * spec.heads() + at / keys / queries], "bias at distance " + relative);
        }
    }

    private static void clipGradNorm(Golden golden, Scope scope) {
        List<Tensor> gradients = new ArrayList<>();
        for (int i = 0; golden.has("grad." + i); i++) {
            gradients.add(scope.floats(golden.shape("grad." + i), golden.floats("grad." + i), "gradient " + i));
        }
        float norm = GradNorm.apply(scope, gradients).toFloats()[0];
        close("norm", golden.floats("norm"), new float[]{norm}, TOLERANCE);
        float factor = (float) GradNorm.clipFactor(norm, golden.attribute("max_norm").asDouble());
        for (int i = 0; i < gradients.size(); i++) {
            float[] clipped = gradients.get(i).toFloats();
            for (int j = 0; j < clipped.length; j++) {
                clipped[j] *= factor;
            }
            close("clipped gradient " + i, golden.floats("clipped." + i), clipped, TOLERANCE);
        }
    }

    /** Fails unless every element is within {@code tolerance} of the largest expected one. */
    static void close(String what, float[] expected, float[] actual, double tolerance) {
        BackendConformance.close(what, doubles(expected), doubles(actual), tolerance);
    }

    private static double[] doubles(float[] values) {
        double[] doubles = new double[values.length];
        Arrays.setAll(doubles, i -> values[i]);
        return doubles;
    }

    /** One forward and one backward of an op on a case's inputs. */
    private static final class Pass {
        private final Golden golden;
        private final Scope scope;
        private final String[] roles;
        /** Lengths of the sequences of roles that are padded [B, S, ...] in the file and ragged for the op. */
        private final Map<String, int[]> lengths = new LinkedHashMap<>();
        private final Map<String, Tensor> inputs = new LinkedHashMap<>();
        /** Whether each row is held to its own largest element. */
        private boolean rowsApart;
        private float[] y;

        /** Calls the op. */
        private interface Body {
            Tensor apply(Tape tape, Map<String, Tensor> inputs);
        }

        private Pass(Golden golden, Scope scope, String... inputs) {
            this.golden = golden;
            this.scope = scope;
            this.roles = inputs;
        }

        void ragged(int[] sequences, String... padded) {
            for (String role : padded) {
                lengths.put(role, sequences);
            }
        }

        /** Compares the output and every gradient that PyTorch gives, asked for together and then one by one. */
        void check(Body body, double tolerance) {
            run(body, roles);
            compare("y", "y", y, tolerance);
            for (String role : roles) {
                compare("grad." + role, role, gradient(role), tolerance);
            }
            for (String role : roles) {
                run(body, role);
                compare("grad." + role, role, gradient(role), tolerance);
                assertEquals(1, inputs.values().stream().filter(input -> input.grad() != null).count());
            }
        }

        private void compare(String role, String like, float[] actual, double tolerance) {
            float[] expected = values(role, like);
            assertEquals(expected.length, actual.length, role);
            int width = rowsApart ? (int) golden.shape(role).columns() : expected.length;
            for (int start = 0; start < expected.length; start += width) {
                close(role + " from element " + start, Arrays.copyOfRange(expected, start, start + width),
                        Arrays.copyOfRange(actual, start, start + width), tolerance);
            }
        }

        /** Runs forward, and backward to the inputs {@code wanted}, the others being frozen. */
        private void run(Body body, String... wanted) {
            for (String role : roles) {
                float[] values = values(role, role);
                inputs.put(role, scope.floats(shape(role, values.length), values, role));
            }
            for (String role : wanted) {
                inputs.get(role).requireGrad();
            }
            Tape tape = Tape.recording(scope);
            Tensor output = body.apply(tape, inputs);
            y = output.toFloats();
            Tensor dy = scope.floats(output.shape(), values("dy", "dy"), "dy");
            tape.backward(new Tensor[]{output}, new Tensor[]{dy});
        }

        float[] gradient(String role) {
            Tensor gradient = inputs.get(role).grad();
            assertNotNull(gradient, "gradient of " + role);
            return gradient.toFloats();
        }

        private Shape shape(String role, int count) {
            if (!lengths.containsKey(role)) {
                return golden.shape(role);
            }
            long width = golden.shape(role).dim(-2) * golden.shape(role).dim(-1);
            return Shape.of(count / width, width);
        }

        /** The numbers of {@code role}, without the padding that {@code like} has. */
        private float[] values(String role, String like) {
            float[] all = golden.floats(role);
            int[] sequences = lengths.get(like);
            if (sequences == null) {
                return all;
            }
            int stride = all.length / sequences.length;
            int width = stride / (int) golden.shape(role).dim(1);
            float[] packed = new float[Arrays.stream(sequences).sum() * width];
            for (int b = 0, at = 0; b < sequences.length; at += sequences[b++] * width) {
                System.arraycopy(all, b * stride, packed, at, sequences[b] * width);
            }
            return packed;
        }
    }
}
