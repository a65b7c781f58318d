package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.op.Combine;
import io.mixt5.engine.op.Dispatch;
import io.mixt5.engine.op.GroupedLinear;
import io.mixt5.engine.op.InputJitter;
import io.mixt5.engine.op.Route;
import io.mixt5.engine.op.Route.Gate;
import io.mixt5.engine.op.Route.Policy;
import io.mixt5.engine.op.Route.Spec;
import io.mixt5.engine.op.Routing;
import io.mixt5.engine.reference.ReferenceBackend;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What every backend must pass: the mistakes that published mixtures of experts were found to make, one by one, on
 * examples worked out by hand. A backend's tests extend this class.
 */
public abstract class BackendRoutingTraps {
    private static final Spec RAW = Spec.dropless(1, Gate.RAW);
    private static final float NAN = Float.NaN;

    private Device device;
    private Scope scope;
    private Tape tape;

    /** The backend under test. */
    protected abstract Backend backend();

    @BeforeEach
    void open() {
        Backend backend = backend();
        device = Device.uncached(backend.hostVisible() ? new GuardedBackend(backend) : backend);
        scope = new Scope(device);
        tape = Tape.recording(scope);
    }

    @AfterEach
    void close() {
        scope.close();
        assertEquals(0, device.liveTensors(), "tensors that were not closed");
    }

    @Test
    void logitsThatTieAsHalfPrecisionProbabilitiesAreToldApart() {
        Routing routing = route(RAW, 3, 1, 1.0001f, 1, 5, 5, 5.00001f);
        assertArrayEquals(new int[]{1, 2}, routing.experts().toInts());
        short first = DType.floatToBf16(routing.probabilities().toFloats()[0]);
        assertEquals(first, DType.floatToBf16(routing.probabilities().toFloats()[1]), "the example ties in BF16");
    }

    @Test
    void halfPrecisionLogitsAreRefused() {
        for (DType half : List.of(DType.F16, DType.BF16)) {
            Tensor logits = scope.zeros(half, Shape.of(2, 3), "logits");
            assertThrows(IllegalArgumentException.class, () -> Route.apply(tape, logits, null, RAW));
        }
    }

    @Test
    void theLowestIndexWinsATie() {
        Routing routing = route(Spec.dropless(2, Gate.RAW), 4, 3, 3, 3, 3, 0, 7, -0.0f, 7, -1, 0.0f, -0.0f, 0.0f);
        assertArrayEquals(new int[]{0, 1, 1, 3, 1, 2}, routing.experts().toInts());
    }

    @Test
    void capacityIsRoundedUp() {
        assertEquals(3, capacity(1, 1.0, 10, 4));
        assertEquals(2, capacity(1, 1.0, 8, 4));
        assertEquals(3, capacity(1, 1.25, 8, 4));
        assertEquals(5, capacity(2, 1.0, 10, 4));
        assertEquals(1, capacity(1, 1.0, 3, 16));
        assertEquals(1, capacity(1, 0.001, 3, 16));
        float[] logits = towards(10, 4, 2);
        Routing routing = route(limited(1), 4, logits);
        assertArrayEquals(new int[]{0, 0, 0, 3, 3}, routing.offsets().toInts());
        assertArrayEquals(new int[]{0, 1, 2, -1, -1, -1, -1, -1, -1, -1}, routing.slots().toInts());
        assertEquals(7, routing.stats().toFloats()[Routing.DROPPED]);
    }

    @Test
    void dropsCountForTheExpertThatTheyChose() {
        Routing routing = route(limited(1), 4, towards(8, 4, 3));
        assertArrayEquals(new int[]{0, 0, 0, 8}, routing.counts().toInts());
        assertArrayEquals(new int[]{0, 0, 0, 0, 2}, routing.offsets().toInts());
        float p = routing.probabilities().toFloats()[3];
        assertEquals(4 * p, routing.balance().toFloats()[0], 1e-5);
    }

    @Test
    void paddingTakesNoPlaceAndCountsInNoFigure() {
        float[] logits = {NAN, NAN, 2, 0, 9, 9, 1, 0, 0, 3, NAN, 0};
        int[] valid = {0, 1, 0, 1, 1, 0};
        Tensor mask = scope.ints(valid, "valid");
        Routing routing = Route.apply(tape, logits(2, logits), mask, limited(1));
        assertArrayEquals(new int[]{-1, 0, -1, 0, 1, -1}, routing.experts().toInts());
        assertArrayEquals(new int[]{-1, 0, -1, 1, 2, -1}, routing.slots().toInts(),
                "two places each, for three tokens");
        assertArrayEquals(new int[]{2, 1}, routing.counts().toInts());
        Routing packed = route(limited(1), 2, 2, 0, 1, 0, 0, 3);
        assertArrayEquals(packed.balance().toFloats(), routing.balance().toFloats(), 1e-6f);
        assertArrayEquals(packed.z().toFloats(), routing.z().toFloats(), 1e-6f);
        assertArrayEquals(packed.stats().toFloats(), routing.stats().toFloats(), 1e-6f);
        assertEquals(3, routing.stats().toFloats()[Routing.TOKENS]);
    }

    @Test
    void firstChoicesComeBeforeSecondOnes() {
        // Tokens 0 and 1 choose experts (0, 1), token 2 chooses (1, 0); there are two places each.
        Spec spec = new Spec(2, Gate.RAW, Policy.CAPACITY, 2.0 / 3, 0, null, null);
        Routing routing = route(spec, 2, 2, 1, 2, 1, 1, 2);
        assertArrayEquals(new int[]{0, 3, 1, -1, 2, -1}, routing.slots().toInts());
        assertArrayEquals(new int[]{0, 1, 2, 0}, routing.tokens().toInts());
    }

    @Test
    void noTokenIsLeftBehindRoundByRound() {
        // One place each. All want expert 0, which token 0 gets; then expert 1, but token 3 expert 2: both get it, and
        // token 2 finds expert 1 full, in the next round expert 2 as well, and gets expert 3.
        Spec spec = new Spec(1, Gate.RAW, Policy.NO_TOKEN_LEFT_BEHIND, 1, 0, null, null);
        Routing routing = route(spec, 4, 9, 8, 7, 6, 9, 8, 7, 6, 9, 8, 7, 6, 9, 7, 8, 6);
        assertArrayEquals(new int[]{0, 1, 3, 2}, routing.experts().toInts());
        assertArrayEquals(new int[]{4, 0, 0, 0}, routing.counts().toInts(), "the balance loss sees the first choices");
        assertEquals(0, routing.stats().toFloats()[Routing.DROPPED]);
        float[] p = routing.probabilities().toFloats();
        assertArrayEquals(new float[]{p[0], p[5], p[11], p[14]}, routing.weights().toFloats());
    }

    @Test
    void aDroppedTokenGetsZerosAndSendsBackNone() {
        Tensor logits = logits(2, towards(4, 2, 1)).requireGrad();
        Routing routing = Route.apply(tape, logits, null, limited(0.5));
        Tensor x = scope.floats(Shape.of(4, 3), new float[]{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, "x").requireGrad();
        Tensor y = Combine.apply(tape, Dispatch.apply(tape, x, routing), routing);
        float p = routing.probabilities().toFloats()[1];
        assertArrayEquals(new float[]{p, 2 * p, 3 * p, 0, 0, 0, 0, 0, 0, 0, 0, 0}, y.toFloats(), 1e-6f);
        backward(y);
        assertArrayEquals(new float[]{p, p, p, 0, 0, 0, 0, 0, 0, 0, 0, 0}, x.grad().toFloats(), 1e-6f);
        float slope = p * (1 - p) * 6;
        assertArrayEquals(new float[]{-slope, slope, 0, 0, 0, 0, 0, 0}, logits.grad().toFloats(), 1e-6f);
    }

    @Test
    void anExpertWithoutTokensGetsNoGradientNeitherNanNorStale() {
        Tensor x = scope.floats(Shape.of(3, 2), new float[]{1, 2, 3, 4, 5, 6}, "x");
        Tensor idle = weight();
        Tensor busy = weight();
        for (int pass = 1; pass <= 2; pass++) {
            Routing routing = Route.apply(tape, logits(2, towards(3, 2, 1)), null, RAW);
            Tensor rows = Dispatch.apply(tape, x, routing);
            backward(GroupedLinear.apply(tape, rows, List.of(idle, busy), routing.offsets()));
            assertGradient(idle, 0, 0, 0, 0, 0);
            assertGradient(busy, 3 * pass, 9 * pass, 12 * pass, 9 * pass, 12 * pass);
        }
        // A step in which the expert is busy leaves something in the buffer that the next one must not find.
        backward(GroupedLinear.apply(tape, x, List.of(idle, busy), scope.ints(new int[]{0, 3, 3}, "offsets")));
        assertGradient(idle, 3, 9, 12, 9, 12);
        assertGradient(busy, 6, 18, 24, 18, 24);
        idle.clearGrad();
        assertNull(idle.gradRows());
        backward(GroupedLinear.apply(tape, x, List.of(idle, busy), scope.ints(new int[]{0, 0, 3}, "offsets")));
        assertGradient(idle, 0, 0, 0, 0, 0);
    }

    @Test
    void aWeightOfSeveralExpertsCountsAllTheirRows() {
        Tensor x = scope.floats(Shape.of(3, 2), new float[]{1, 2, 3, 4, 5, 6}, "x");
        Tensor shared = weight();
        Tensor own = weight();
        Tensor constant = scope.zeros(DType.F32, Shape.of(2, 2), "constant");
        for (int pass = 1; pass <= 2; pass++) {
            backward(GroupedLinear.apply(tape, x, List.of(shared, own, shared, constant),
                    scope.ints(new int[]{0, 1, 1, 2, 3}, "offsets")));
            assertGradient(shared, 2 * pass, 4 * pass, 6 * pass, 4 * pass, 6 * pass);
            assertGradient(own, 0, 0, 0, 0, 0);
        }
        assertNull(constant.grad());
    }

    private static void assertGradient(Tensor weight, int rows, float... gradient) {
        assertArrayEquals(new int[]{rows}, weight.gradRows().toInts(), "rows");
        assertArrayEquals(gradient, weight.grad().toFloats());
    }

    @Test
    void fewerTokensThanExpertsAreAllServed() {
        Routing routing = route(limited(1), 5, 0, 0, 3, 0, 0, 0, 0, 0, 0, 4);
        assertArrayEquals(new int[]{0, 1}, routing.slots().toInts());
        assertArrayEquals(new int[]{0, 0, 0, 1, 1, 2}, routing.offsets().toInts());
    }

    @Test
    void oneTokenIsServed() {
        Routing routing = route(limited(1), 4, 0, 0, 3, 0);
        assertArrayEquals(new int[]{0}, routing.slots().toInts());
        assertEquals(4 * routing.weights().toFloats()[0], routing.balance().toFloats()[0], 1e-6);
    }

    @Test
    void noTokenGivesLossesOfZero() {
        Routing routing = route(limited(1), 4);
        assertArrayEquals(new int[5], routing.offsets().toInts());
        assertArrayEquals(new float[1], routing.balance().toFloats());
        assertArrayEquals(new float[1], routing.z().toFloats());
        assertArrayEquals(new float[Routing.STATS], routing.stats().toFloats());
    }

    @Test
    void allTokensToOneExpertKeepTheirOrder() {
        Routing routing = route(RAW, 3, towards(6, 3, 1));
        assertArrayEquals(new int[]{0, 0, 6, 6}, routing.offsets().toInts());
        assertArrayEquals(new int[]{0, 1, 2, 3, 4, 5}, routing.tokens().toInts());
    }

    @Test
    void logitsWithoutASoftmaxAreAnErrorThatNamesTheToken() {
        for (float bad : new float[]{NAN, Float.POSITIVE_INFINITY}) {
            Tensor logits = logits(3, 0, 0, 0, 1, 2, 3, 1, bad, 0, 0, bad, 0);
            // Some devices say so only when something is read back.
            String message = assertThrows(ArithmeticException.class,
                    () -> Route.apply(tape, logits, null, RAW).experts().toInts()).getMessage();
            assertTrue(message.contains("token 2"), message);
        }
    }

    @Test
    void renormalizedTopOneIsRefusedSinceItsRouterWouldNotLearn() {
        String message = assertThrows(UserException.class, () -> Spec.dropless(1, Gate.RENORMALIZED)).getMessage();
        assertTrue(message.contains("learn nothing"), message);
        assertThrows(UserException.class, () -> Spec.dropless(2, Gate.PRESERVING));
        assertThrows(UserException.class, () -> Spec.dropless(9, Gate.RAW));
        assertThrows(UserException.class, () -> new Spec(1, Gate.RAW, Policy.CAPACITY, 0, 0, null, null));
    }

    @Test
    void thePreservingGateIsOneAndStillTeachesTheRouter() {
        Tensor logits = logits(3, 1, 2, 0).requireGrad();
        Routing routing = Route.apply(tape, logits, null, Spec.dropless(1, Gate.PRESERVING));
        float[] p = routing.probabilities().toFloats();
        assertArrayEquals(new float[]{1}, routing.weights().toFloats());
        Tensor result = scope.floats(Shape.of(1, 2), new float[]{3, -5}, "result of the expert");
        Tensor dy = scope.floats(Shape.of(1, 2), new float[]{2, 7}, "dy");
        Tensor y = Combine.apply(tape, result, routing);
        tape.backward(new Tensor[]{y}, new Tensor[]{dy});
        int inner = 3 * 2 - 5 * 7;
        assertArrayEquals(new float[]{-p[0] * inner, (1 - p[1]) * inner, -p[2] * inner}, logits.grad().toFloats(),
                1e-5f);
    }

    @Test
    void noiseIsOffInEvaluation() {
        for (Tape evaluation : List.of(Tape.recording(scope), Tape.inference(scope))) {
            assertSame(Jitter.NONE, evaluation.jitter(0.1f));
            assertNull(evaluation.randomStream());
        }
        assertTrue(Tape.training(scope, 1, 2).jitter(0.1f).active());
        Tensor x = weight();
        assertSame(x, InputJitter.apply(tape, x, tape.jitter(0.1f)));
    }

    @Test
    void recomputationDrawsTheSameNoise() {
        Tensor x = scope.floats(Shape.of(30, 4), towards(30, 4, 0), "x");
        Spec drawn = new Spec(1, Gate.RAW, Policy.DROPLESS, 0, 0, null, new RandomStream(1, 2, 3));
        Jitter jitter = Tape.training(scope, 1, 2).jitter(0.2f);
        float[] first = InputJitter.apply(tape, x, jitter).toFloats();
        assertArrayEquals(first, InputJitter.apply(tape, x, jitter).toFloats());
        Tensor logits = scope.zeros(DType.F32, Shape.of(300, 5), "logits");
        int[] experts = Route.apply(tape, logits, null, drawn).experts().toInts();
        assertArrayEquals(experts, Route.apply(tape, logits, null, drawn).experts().toInts());
        Jitter later = Tape.training(scope, 1, 3).jitter(0.2f);
        assertNotEquals(first[0], InputJitter.apply(tape, x, later).toFloats()[0]);
    }

    @Test
    void jitterStaysInItsRange() {
        Tensor ones = scope.floats(Shape.of(1000), filled(1000, 1), "ones");
        float[] factors = InputJitter.apply(tape, ones, new Jitter(0.1f, new RandomStream(1, 2, 3))).toFloats();
        double sum = 0;
        for (float factor : factors) {
            assertTrue(factor >= 0.9f && factor < 1.1f, () -> "factor " + factor);
            sum += factor;
        }
        assertEquals(1, sum / factors.length, 0.01);
    }

    @Test
    void expertsAreDrawnAsOftenAsTheirProbabilitySays() {
        int tokens = 4000;
        float[] logits = new float[3 * tokens];
        for (int n = 0; n < tokens; n++) {
            logits[3 * n] = (float) Math.log(5);
            logits[3 * n + 1] = (float) Math.log(3);
            logits[3 * n + 2] = (float) Math.log(2);
        }
        Spec drawn = new Spec(2, Gate.RAW, Policy.DROPLESS, 0, 0, null, new RandomStream(1, 2, 3));
        int[] experts = route(drawn, 3, logits).experts().toInts();
        int[] first = new int[3];
        int zeroThenOne = 0;
        for (int n = 0; n < tokens; n++) {
            assertNotEquals(experts[2 * n], experts[2 * n + 1], "an expert twice for token " + n);
            first[experts[2 * n]]++;
            zeroThenOne += experts[2 * n] == 0 && experts[2 * n + 1] == 1 ? 1 : 0;
        }
        assertEquals(0.5, first[0] / (double) tokens, 0.03);
        assertEquals(0.3, first[1] / (double) tokens, 0.03);
        assertEquals(0.2, first[2] / (double) tokens, 0.03);
        assertEquals(0.6, zeroThenOne / (double) first[0], 0.04);
    }

    @Test
    void placesEqualTheReferencesWhateverTheSettings() {
        Random random = new Random(11);
        for (int trial = 0; trial < 300; trial++) {
            int tokens = random.nextInt(50);
            int experts = 1 + random.nextInt(trial % 10 == 0 ? 70 : 9);
            int k = 1 + random.nextInt(Math.min(experts, 8));
            int cut = random.nextInt(tokens + 1);
            Spec spec = new Spec(k, k > 1 && random.nextBoolean() ? Gate.RENORMALIZED : Gate.RAW,
                    Policy.values()[random.nextInt(3)], 0.3 + 1.2 * random.nextFloat(), random.nextInt(3),
                    random.nextBoolean() ? null : new int[]{cut, tokens - cut}, null);
            float[] values = new float[tokens * experts];
            int[] valid = new int[tokens];
            for (int i = 0; i < values.length; i++) {
                // Few different values, so that there are ties; and one expert in demand.
                values[i] = random.nextInt(5) / 2f + (i % experts == 0 ? 1 : 0);
            }
            for (int n = 0; n < tokens; n++) {
                valid[n] = random.nextInt(5) == 0 ? 0 : 1;
            }
            try (Scope reference = new Scope(Device.uncached(new ReferenceBackend()))) {
                Routing expected = Route.apply(Tape.recording(reference),
                        reference.floats(Shape.of(tokens, experts), values, "logits"), reference.ints(valid, "valid"),
                        spec);
                Routing actual = Route.apply(tape, logits(experts, values), scope.ints(valid, "valid"), spec);
                String what = "trial " + trial + ", " + spec;
                assertArrayEquals(expected.experts().toInts(), actual.experts().toInts(), what);
                assertArrayEquals(expected.slots().toInts(), actual.slots().toInts(), what);
                assertArrayEquals(expected.tokens().toInts(), actual.tokens().toInts(), what);
                assertArrayEquals(expected.offsets().toInts(), actual.offsets().toInts(), what);
                assertArrayEquals(expected.counts().toInts(), actual.counts().toInts(), what);
                assertArrayEquals(expected.weights().toFloats(), actual.weights().toFloats(), 1e-6f, what);
                assertArrayEquals(expected.stats().toFloats(), actual.stats().toFloats(), 1e-5f, what);
            }
        }
    }

    private static int capacity(int topK, double factor, int tokens, int experts) {
        return new Spec(topK, Gate.RAW, Policy.CAPACITY, factor, 0, null, null).capacity(tokens, experts);
    }

    private static Spec limited(double factor) {
        return new Spec(1, Gate.RAW, Policy.CAPACITY, factor, 0, null, null);
    }

    private Routing route(Spec spec, int experts, float... logits) {
        return Route.apply(tape, logits(experts, logits), null, spec);
    }

    private Tensor logits(int experts, float... logits) {
        return scope.floats(Shape.of(logits.length / experts, experts), logits, "logits");
    }

    /** Logits by which all tokens want the same expert. */
    private static float[] towards(int tokens, int experts, int expert) {
        float[] logits = new float[tokens * experts];
        for (int n = 0; n < tokens; n++) {
            logits[n * experts + expert] = 2;
        }
        return logits;
    }

    private Tensor weight() {
        return scope.floats(Shape.of(2, 2), new float[]{1, 2, 3, 4}, "weight").requireGrad();
    }

    /** Backward from the sum of all elements. */
    private void backward(Tensor y) {
        Tensor ones = scope.floats(y.shape(), filled((int) y.count(), 1), "ones");
        tape.backward(new Tensor[]{y}, new Tensor[]{ones});
        tape = Tape.recording(scope); // a tape goes backward once
    }

    private static float[] filled(int count, float value) {
        float[] values = new float[count];
        Arrays.fill(values, value);
        return values;
    }
}
