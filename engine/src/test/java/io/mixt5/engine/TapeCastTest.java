package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.op.Cast;
import io.mixt5.engine.op.Scale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Weights in the type of a pass. */
class TapeCastTest {
    private final Device device = Device.of("reference");
    private final Tensor weight = Tensor.create(device, DType.F32, Shape.of(3), "weight").requireGrad()
            .upload(new float[]{1, -2, 0.5f});

    @Test
    void aWeightIsCastOnceAndItsUsesAddUpInItsOwnGradient() {
        try (Scope scope = new Scope(device)) {
            Tape tape = Tape.recording(scope);
            Tensor cast = tape.cast(weight, DType.F16);
            assertEquals(DType.F16, cast.dtype());
            assertSame(cast, tape.cast(weight, DType.F16));
            assertSame(weight, tape.cast(weight, DType.F32));
            Tensor[] outputs = {Scale.apply(tape, cast, 2), Scale.apply(tape, tape.cast(weight, DType.F16), 3)};
            tape.backward(outputs, new Tensor[]{ones(scope), ones(scope)});
            assertTrue(cast.closed(), "the cast outlives its node");
            assertArrayEquals(new float[]{5, 5, 5}, weight.grad().toFloats());
            assertThrows(IllegalStateException.class, () -> tape.next(scope));
        }
        try (Scope scope = new Scope(device)) {
            Tape second = Tape.recording(scope);
            second.backward(new Tensor[]{second.cast(weight, DType.BF16)}, new Tensor[]{
                    Cast.apply(Tape.inference(scope), ones(scope), DType.BF16)});
            assertArrayEquals(new float[]{6, 6, 6}, weight.grad().toFloats());
        }
    }

    @Test
    void anUnusedCastLeavesNoGradient() {
        try (Scope scope = new Scope(device)) {
            Tape tape = Tape.recording(scope);
            tape.cast(weight, DType.F16);
            Tensor other = Cast.apply(tape, scope.zeros(DType.F32, Shape.of(3), "other").requireGrad(), DType.F16);
            tape.backward(new Tensor[]{other}, new Tensor[]{ones(scope)});
            assertNull(weight.grad());
        }
    }

    @Test
    void furtherPassesOfAGenerationReadTheFirstOnesCasts() {
        try (Scope scope = new Scope(device)) {
            Tape first = Tape.inference(scope);
            Tensor cast;
            try (Scope inner = scope.child()) {
                cast = first.next(inner).cast(weight, DType.BF16);
            }
            assertFalse(cast.closed());
            assertSame(cast, first.cast(weight, DType.BF16));
            Tensor[] seen = new Tensor[1];
            Tensor other = first.block(() -> {
                seen[0] = first.cast(weight, DType.BF16);
                return Scale.apply(first, seen[0], 2);
            });
            assertSame(cast, seen[0]);
            assertFalse(cast.closed());
            assertEquals(-4, other.get(1));
        }
    }

    private static Tensor ones(Scope scope) {
        return scope.allocate(DType.F16, Shape.of(3), "ones").upload(new double[]{1, 1, 1});
    }

    @AfterEach
    void leavesNoTensor() {
        weight.close();
        assertEquals(0, device.liveTensors());
    }
}
