package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.op.Add;
import io.mixt5.engine.op.CrossEntropy;
import io.mixt5.engine.op.DropoutAdd;
import io.mixt5.engine.op.Linear;
import io.mixt5.engine.op.Scale;
import io.mixt5.engine.reference.ReferenceBackend;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the tape computes; {@link TapeMemoryTest} says what it keeps meanwhile. */
class TapeTest {
    private static final float[] SEED = {1, -2, 0.5f};

    private final Device device = Device.uncached(new GuardedBackend(new ReferenceBackend()));
    private final Scope scope = new Scope(device);
    private final Tape tape = Tape.recording(scope);
    private final Tensor x = vector("x", 1, 2, 3).requireGrad();

    @AfterEach
    void close() {
        scope.close();
        assertEquals(0, device.liveTensors());
    }

    private Tensor vector(String name, float... values) {
        return scope.floats(Shape.of(values.length), values, name);
    }

    private void backward(Tensor output) {
        tape.backward(new Tensor[]{output}, new Tensor[]{vector("seed", SEED)});
    }

    private static float[] times(float factor, float[] values) {
        float[] products = values.clone();
        for (int i = 0; i < products.length; i++) {
            products[i] *= factor;
        }
        return products;
    }

    @Test
    void aTensorUsedTwiceSumsItsGradients() {
        backward(Add.apply(tape, Scale.apply(tape, x, 2), Scale.apply(tape, x, 3)));
        assertArrayEquals(times(5, SEED), x.grad().toFloats());
    }

    @Test
    void aTensorAddedToItselfCountsTwice() {
        backward(Add.apply(tape, x, x));
        assertArrayEquals(times(2, SEED), x.grad().toFloats());
    }

    @Test
    void aResidualAndItsBranchMeet() {
        Tensor hidden = Scale.apply(tape, x, 2);
        backward(DropoutAdd.apply(tape, hidden, Scale.apply(tape, hidden, 10), Dropout.NONE));
        assertArrayEquals(times(22, SEED), x.grad().toFloats());
    }

    @Test
    void branchesThatTheLossDoesNotReachGiveNothing() {
        Tensor other = vector("other", 1, 2, 3).requireGrad();
        Tensor unused = Scale.apply(tape, other, 7);
        Tensor alsoUnused = Scale.apply(tape, x, 100);
        backward(Scale.apply(tape, x, 2));
        assertArrayEquals(times(2, SEED), x.grad().toFloats());
        assertNull(other.grad());
        assertTrue(unused.closed() && alsoUnused.closed());
    }

    @Test
    void severalOutputsHaveSeedsOfTheirOwn() {
        Tensor a = Scale.apply(tape, x, 2);
        Tensor b = Scale.apply(tape, x, 3);
        tape.backward(new Tensor[]{a, b, a},
                new Tensor[]{vector("s", 1, 0, 0), vector("s", 0, 1, 0), vector("s", 0, 0, 1)});
        assertArrayEquals(new float[]{2, 3, 2}, x.grad().toFloats());
    }

    @Test
    void constantsGetNoGradient() {
        Tensor constant = vector("constant", 4, 5, 6);
        Tensor sum = Add.apply(tape, Scale.apply(tape, constant, 2), x);
        backward(sum);
        assertArrayEquals(SEED, x.grad().toFloats());
        assertNull(constant.grad());
    }

    @Test
    void onlyWhatDependsOnParametersIsTracked() {
        Tensor constant = vector("constant", 4, 5, 6);
        assertTrue(tape.tracks(x));
        assertFalse(tape.tracks(constant));
        assertFalse(tape.tracks((Tensor) null));
        assertTrue(tape.tracks(null, constant, x));
        assertFalse(Scale.apply(tape, constant, 2).requiresGrad());
        assertTrue(Scale.apply(tape, x, 2).requiresGrad());
    }

    @Test
    void aLossIsOneNumber() {
        Tensor labels = scope.ints(new int[]{2, 0}, "labels");
        Tensor logits = scope.floats(Shape.of(2, 3), new float[]{1, 2, 3, 0, 0, 0}, "logits").requireGrad();
        Tensor loss = CrossEntropy.apply(tape, logits, labels);
        tape.backward(loss);
        double third = 1 / 3.0;
        double sum = Math.exp(1) + Math.exp(2) + Math.exp(3);
        double[] expected = {Math.exp(1) / sum / 2, Math.exp(2) / sum / 2, (Math.exp(3) / sum - 1) / 2,
                (third - 1) / 2, third / 2, third / 2};
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], logits.grad().get(i), 1e-7);
        }
        assertFalse(loss.closed(), "the loss can be read after backward");
        var error = assertThrows(IllegalArgumentException.class, () -> tape.backward(logits));
        assertTrue(error.getMessage().contains("logits F32[2, 3]"), error.getMessage());
    }

    @Test
    void aFactorScalesEveryGradient() {
        try (Tensor leaf = Tensor.create(device, DType.F32, Shape.of(1), "leaf").requireGrad()) {
            for (int pass = 1; pass <= 4; pass++) {
                Tape each = Tape.recording(scope);
                each.backward(Scale.apply(each, leaf, 3), 0.25);
                assertEquals(0.75 * pass, leaf.grad().get(0), "after " + pass + " accumulated passes");
            }
        }
    }

    @Test
    void gradientsAccumulateUntilCleared() {
        try (Tensor leaf = Tensor.create(device, DType.F32, Shape.of(3), "leaf").requireGrad()) {
            for (int pass = 1; pass <= 3; pass++) {
                Tape each = Tape.recording(scope);
                each.backward(new Tensor[]{Scale.apply(each, leaf, 2)}, new Tensor[]{vector("seed", SEED)});
                assertArrayEquals(times(2 * pass, SEED), leaf.grad().toFloats());
            }
            Tensor buffer = leaf.grad();
            leaf.clearGrad();
            Tape last = Tape.recording(scope);
            last.backward(new Tensor[]{Scale.apply(last, leaf, 7)}, new Tensor[]{vector("seed", SEED)});
            assertArrayEquals(times(7, SEED), leaf.grad().toFloats(), "nothing is left of the cleared gradient");
            assertSame(buffer, leaf.grad(), "the memory is used again");
        }
    }

    @Test
    void anOutputThatIsNotReachedCountsAsZero() {
        Tensor a = Scale.apply(Tape.inference(scope), x, 2);
        Tensor b = Scale.apply(Tape.inference(scope), x, 3);
        tape.record("split", new Tensor[]{a, b}, gradients -> {
            Tensor db = gradients.of(b);
            assertArrayEquals(new float[3], db.toFloats());
            Gradients.Target dx = gradients.addTo(x);
            assertTrue(dx.accumulate());
            tape.kernel(Add.Kernel.class, DType.F32).accumulate(gradients.of(a), dx.tensor());
            tape.kernel(Add.Kernel.class, DType.F32).accumulate(db, dx.tensor());
        });
        backward(a);
        assertArrayEquals(SEED, x.grad().toFloats());
    }

    @Test
    void aNodeThatAsksTwiceGetsTwoPlaces() {
        Tensor y = Scale.apply(Tape.inference(scope), x, 2);
        tape.record("square", y, gradients -> {
            Gradients.Target first = gradients.into(x);
            Gradients.Target second = gradients.into(x);
            Gradients.Target third = gradients.addTo(x);
            assertFalse(first.accumulate() || second.accumulate());
            third.tensor().set(2, 100);
            second.tensor().upload(new float[]{1, 2, 3});
            first.tensor().upload(new float[]{10, 20, 30});
        });
        backward(y);
        assertArrayEquals(new float[]{11, 22, 133}, x.grad().toFloats());
    }

    @Test
    void anInferenceTapeRecordsNothing() {
        Tape inference = Tape.inference(scope);
        assertFalse(inference.recording());
        assertFalse(inference.training());
        assertFalse(inference.tracks(x));
        Tensor y = Scale.apply(inference, x, 2);
        assertFalse(y.requiresGrad());
        assertArrayEquals(new float[]{2, 4, 6}, y.toFloats());
        var error = assertThrows(IllegalStateException.class,
                () -> inference.backward(new Tensor[]{y}, new Tensor[]{vector("seed", SEED)}));
        assertTrue(error.getMessage().contains("Tape.training"), error.getMessage());
    }

    @Test
    void aTapeGoesBackwardOnce() {
        Tensor loss = Scale.apply(tape, scope.floats(Shape.of(1), new float[]{1}, "one").requireGrad(), 2);
        tape.backward(loss);
        var error = assertThrows(IllegalStateException.class, () -> tape.backward(loss));
        assertTrue(error.getMessage().contains("once"), error.getMessage());
    }

    @Test
    void backwardStartsWhereAGradientIsNeeded() {
        Tensor constant = Scale.apply(tape, vector("constant", 4, 5, 6), 2);
        var error = assertThrows(IllegalArgumentException.class, () -> backward(constant));
        assertTrue(error.getMessage().contains("scale F32[3]"), error.getMessage());
        Tensor y = Scale.apply(tape, x, 2);
        error = assertThrows(IllegalArgumentException.class,
                () -> tape.backward(new Tensor[]{y}, new Tensor[]{vector("short", 1, 2)}));
        assertTrue(error.getMessage().contains("short F32[2]"), error.getMessage());
        backward(y);
        assertArrayEquals(times(2, SEED), x.grad().toFloats(), "a refused start changes nothing");
    }

    @Test
    void dropoutSitesAreNumbered() {
        Tape training = Tape.training(scope, 9, 4);
        assertTrue(training.training() && training.recording());
        assertEquals(new Dropout(0.1f, 9, 0, 4), training.dropout(0.1f));
        assertEquals(Dropout.NONE, training.dropout(0));
        assertEquals(new Dropout(0.2f, 9, 2, 4), training.dropout(0.2f), "a site without dropout has a number too");
        assertEquals(Dropout.NONE, tape.dropout(0.1f), "a tape that only records draws no noise");
        assertEquals(Dropout.NONE, Tape.inference(scope).dropout(0.1f));
        assertThrows(IllegalArgumentException.class, () -> Tape.training(scope, 9, -1));
    }

    @Test
    void oneSeedAndStepGiveOneMask() {
        float[] counted = new float[100];
        for (int i = 0; i < counted.length; i++) {
            counted[i] = i + 1;
        }
        Tensor values = vector("values", counted);
        assertArrayEquals(dropped(values, 9, 4), dropped(values, 9, 4));
        assertFalse(Arrays.equals(dropped(values, 9, 4), dropped(values, 9, 5)), "the next step has another mask");
        assertFalse(Arrays.equals(dropped(values, 9, 4), dropped(values, 8, 4)), "another seed has another mask");
    }

    private float[] dropped(Tensor values, long seed, int step) {
        Tape training = Tape.training(scope, seed, step);
        return DropoutAdd.dropout(training, values, training.dropout(0.5f)).toFloats();
    }

    @Test
    void theGradientOfAProductGoesBothWays() {
        Tensor weight = scope.floats(Shape.of(2, 3), new float[]{1, 0, 2, 0, 1, 1}, "weight").requireGrad();
        Tensor rows = scope.floats(Shape.of(1, 3), new float[]{1, 2, 3}, "rows").requireGrad();
        Tensor y = Linear.apply(tape, rows, weight);
        assertArrayEquals(new float[]{7, 5}, y.toFloats());
        tape.backward(new Tensor[]{y}, new Tensor[]{scope.floats(Shape.of(1, 2), new float[]{10, 1}, "dy")});
        assertArrayEquals(new float[]{10, 1, 21}, rows.grad().toFloats());
        assertArrayEquals(new float[]{10, 20, 30, 1, 2, 3}, weight.grad().toFloats());
    }
}
