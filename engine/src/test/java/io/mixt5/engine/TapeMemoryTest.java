package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.op.Add;
import io.mixt5.engine.op.DropoutAdd;
import io.mixt5.engine.op.Relu;
import io.mixt5.engine.op.RmsNorm;
import io.mixt5.engine.op.Scale;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the tape keeps and for how long. */
class TapeMemoryTest {
    private static final int N = 250;
    private static final long BYTES = 4L * N;

    private final Device device = Device.uncached(new CountingBackend());
    private final Scope scope = new Scope(device);
    private final Tape tape = Tape.recording(scope);

    @AfterEach
    void leavesNothing() {
        scope.close();
        assertEquals(0, device.liveTensors());
    }

    private Tensor vector(String name) {
        return scope.zeros(DType.F32, Shape.of(N), name);
    }

    private void backward(Tensor output) {
        tape.backward(new Tensor[]{output}, new Tensor[]{vector("seed")});
    }

    /** Records a node that does nothing but note how many bytes live when its backward runs. */
    private Tensor probe(Tensor input, List<Long> live) {
        Tensor output = scope.allocate(DType.F32, input.shape(), "probe");
        output.copyFrom(input);
        tape.record("probe", output, gradients -> {
            live.add(device.liveBytes());
            gradients.pass(output, input);
        });
        return output;
    }

    @Test
    void backwardGivesBackAsItGoes() {
        Tensor x = vector("x").requireGrad();
        List<Long> live = new ArrayList<>();
        Tensor y = x;
        for (int i = 0; i < 10; i++) {
            y = Scale.apply(tape, probe(y, live), 0.5f);
        }
        assertEquals(21 * BYTES, device.liveBytes());
        backward(y);
        assertEquals(10, live.size());
        for (int i = 0; i < 10; i++) {
            // What is still to be visited, the input, the last output, and two gradients.
            assertEquals((20 - 2 * i + 3) * BYTES, live.get(i), "at the probe visited as number " + i);
        }
        assertEquals(4 * BYTES, device.liveBytes(), "input and output, and the gradients of both");
    }

    @Test
    void intermediateTensorsAndTheirGradientsAreClosed() {
        Tensor x = vector("x").requireGrad();
        Tensor hidden = Scale.apply(tape, x, 2);
        Tensor output = Scale.apply(tape, hidden, 3);
        backward(output);
        assertTrue(hidden.closed());
        assertFalse(output.closed(), "an output that backward starts from can be read afterwards");
        assertFalse(x.closed());
        var error = assertThrows(IllegalStateException.class, hidden::toFloats);
        assertTrue(error.getMessage().contains("scale F32[250]"), error.getMessage());
    }

    @Test
    void savedTensorsAreClosedWithTheirNode() {
        Tensor x = scope.zeros(DType.F32, Shape.of(10, 25), "x").requireGrad();
        Tensor weight = scope.zeros(DType.F32, Shape.of(25), "weight").requireGrad();
        Tensor y = RmsNorm.apply(tape, x, weight, 1e-6f);
        long before = device.liveTensors();
        tape.backward(new Tensor[]{y}, new Tensor[]{scope.zeros(DType.F32, y.shape(), "seed")});
        assertEquals(before + 3 - 1, device.liveTensors(), "three gradients came and the inverse of the norms went");
    }

    @Test
    void keptTensorsAndTheirGradientsStay() {
        Tensor x = vector("x").requireGrad();
        Tensor hidden = tape.keep(Scale.apply(tape, x, 2));
        Tensor output = Scale.apply(tape, hidden, 3);
        Tensor seed = vector("seed");
        seed.set(7, 1);
        tape.backward(new Tensor[]{output}, new Tensor[]{seed});
        assertFalse(hidden.closed());
        assertEquals(3, hidden.grad().get(7));
        assertEquals(6, x.grad().get(7));
    }

    @Test
    void aGradientIsHandedOnRatherThanCopied() {
        Tensor x = vector("x").requireGrad();
        Tensor hidden = Scale.apply(tape, x, 2);
        List<Long> live = new ArrayList<>();
        Tensor sum = DropoutAdd.apply(tape, probe(hidden, live), vector("branch"), Dropout.NONE);
        backward(Scale.apply(tape, sum, 1));
        // x, branch, hidden, probe, output, seed, and one gradient for sum, probe and hidden in turn.
        assertEquals(List.of(7 * BYTES), live);
    }

    @Test
    void aKeptGradientIsNotHandedOn() {
        Tensor x = vector("x").requireGrad();
        Tensor sum = tape.keep(Add.apply(tape, Scale.apply(tape, x, 2), vector("constant")));
        Tensor seed = vector("seed");
        seed.set(3, 1);
        tape.backward(new Tensor[]{Scale.apply(tape, sum, 5)}, new Tensor[]{seed});
        assertEquals(5, sum.grad().get(3));
        assertEquals(10, x.grad().get(3));
    }

    @Test
    void aReleasedTensorPassesItsGradientOn() {
        Tensor x = vector("x").requireGrad();
        Tensor branch = Scale.apply(tape, x, 3);
        Tensor y = DropoutAdd.apply(tape, x, branch, Dropout.NONE);
        long before = device.liveBytes();
        tape.release(branch);
        assertEquals(before - BYTES, device.liveBytes());
        Tensor seed = vector("seed");
        seed.set(7, 1);
        tape.backward(new Tensor[]{y}, new Tensor[]{seed});
        assertEquals(4, x.grad().get(7));
        assertEquals(4 * BYTES, device.liveBytes(), "input and output, and the gradients of both");
    }

    @Test
    void aReleasedTensorIsNotReadAgain() {
        Tensor x = vector("x").requireGrad();
        Tensor hidden = Scale.apply(tape, x, 3);
        Tensor y = Relu.apply(tape, hidden, Dropout.NONE);
        tape.release(hidden);
        var error = assertThrows(IllegalStateException.class, () -> backward(y));
        assertTrue(error.getMessage().contains("scale F32[250]"), error.getMessage());
    }

    @Test
    void whatStaysIsNotReleased() {
        Tensor kept = tape.keep(vector("kept"));
        Tensor out = scope.keep(vector("out"));
        tape.release(kept);
        tape.release(out);
        assertFalse(kept.closed() || out.closed());
        out.close();
        assertEquals(1, device.liveTensors());
    }

    @Test
    void whatTheScopeLetOutStays() {
        Tensor x = vector("x").requireGrad();
        try (Tensor hidden = scope.keep(Scale.apply(tape, x, 2))) {
            backward(Add.apply(tape, hidden, vector("constant")));
            assertFalse(hidden.closed());
            scope.close();
            assertEquals(2, device.liveTensors());
            assertEquals(0, hidden.grad().get(7));
        }
    }

    @Test
    void whatAChildLetOutStaysInItsParent() {
        Tensor hidden;
        try (Scope child = scope.child()) {
            Tape each = Tape.recording(child);
            hidden = child.keep(Scale.apply(each, vector("x").requireGrad(), 2));
            each.backward(new Tensor[]{Add.apply(each, hidden, hidden)}, new Tensor[]{vector("seed")});
        }
        assertEquals(0, hidden.grad().get(7));
    }

    @Test
    void aGradientLivesAsLongAsItsTensor() {
        Tensor scaled = vector("scaled").requireGrad();
        Tensor passed = vector("passed").requireGrad();
        try (Scope step = scope.child()) {
            Tape each = Tape.recording(step);
            Tensor output = Add.apply(each, passed, Scale.apply(each, scaled, 2));
            Tensor seed = step.zeros(DType.F32, output.shape(), "seed");
            seed.set(7, 1);
            each.backward(new Tensor[]{output}, new Tensor[]{seed});
        }
        assertEquals(2, scaled.grad().get(7));
        assertEquals(1, passed.grad().get(7));
    }

    @Test
    void seedsBelongToTheTape() {
        Tensor x = vector("x").requireGrad();
        Tensor output = Scale.apply(tape, x, 2);
        try (Scope other = new Scope(device)) {
            Tensor seed = other.zeros(DType.F32, output.shape(), "seed");
            seed.set(7, 1);
            Tensor owned = Tensor.create(device, DType.F32, output.shape(), "owned");
            owned.set(7, 2);
            tape.backward(new Tensor[]{output, output}, new Tensor[]{seed, owned});
        }
        assertEquals(3, output.grad().get(7));
        assertEquals(6, x.grad().get(7));
    }

    @Test
    void gradientsOfLeavesOutliveTheScope() {
        try (Tensor leaf = Tensor.create(device, DType.F32, Shape.of(2), "leaf").requireGrad()) {
            try (Scope step = new Scope(device)) {
                Tape recording = Tape.recording(step);
                Tensor y = Add.apply(recording, leaf, step.zeros(DType.F32, Shape.of(2), "zeros"));
                recording.backward(new Tensor[]{y}, new Tensor[]{step.floats(Shape.of(2), new float[]{1, 2}, "s")});
            }
            assertEquals(2, device.liveTensors());
            assertArrayEquals(new float[]{1, 2}, leaf.grad().toFloats());
        }
    }

    @Test
    void aBlockOfInferenceKeepsItsResultOnly() {
        Tensor x = vector("x");
        Tape inference = Tape.inference(scope);
        List<Tensor> temporaries = new ArrayList<>();
        Tensor y = inference.block(() -> {
            temporaries.add(Scale.apply(inference, x, 2));
            temporaries.add(inference.block(() -> {
                temporaries.add(Scale.apply(inference, x, 3));
                return Scale.apply(inference, temporaries.getLast(), 3);
            }));
            assertTrue(temporaries.get(1).closed(), "the inner block's temporary");
            return Scale.apply(inference, temporaries.get(2), 4);
        });
        assertTrue(temporaries.stream().allMatch(Tensor::closed));
        assertFalse(y.closed());
        assertEquals(2, device.liveTensors());
        assertSame(scope, inference.scope());
    }

    @Test
    void whatIsKeptOutlivesTheBlocksOfInference() {
        Tensor x = vector("x");
        Tape inference = Tape.inference(scope);
        List<Tensor> kept = new ArrayList<>();
        inference.block(() -> inference.block(() -> {
            kept.add(inference.keep(Scale.apply(inference, x, 2)));
            return x;
        }));
        assertFalse(kept.getFirst().closed());
        scope.close();
        assertTrue(kept.getFirst().closed());
    }

    @Test
    void aBlockMayReturnWhatItWasGiven() {
        Tensor x = vector("x");
        Tape inference = Tape.inference(scope);
        assertSame(x, inference.block(() -> x));
        assertFalse(x.closed());
    }

    @Test
    void aBlockThatFailsGivesItsMemoryBack() {
        Tape inference = Tape.inference(scope);
        assertThrows(ArithmeticException.class, () -> inference.block(() -> {
            inference.allocate(DType.F32, Shape.of(N), "temporary");
            throw new ArithmeticException();
        }));
        assertEquals(0, device.liveTensors());
        assertSame(scope, inference.scope(), "later ops run in the outer scope again");
    }

    @Test
    void aBlockOfARecordingTapeIsJustACall() {
        Tensor x = vector("x").requireGrad();
        Tensor[] hidden = new Tensor[1];
        Tensor y = tape.block(() -> {
            hidden[0] = Scale.apply(tape, x, 2);
            return Scale.apply(tape, hidden[0], 3);
        });
        assertFalse(hidden[0].closed());
        backward(y);
        assertNotNull(x.grad());
    }
}
