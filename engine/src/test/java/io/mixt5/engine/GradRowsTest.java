package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.op.Cast;
import io.mixt5.engine.op.GroupedLinear;
import io.mixt5.engine.op.Linear;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Gradients that are there only if they come from a row, of which the device alone keeps count. */
class GradRowsTest {
    private final Device device = Device.of("reference");
    private final Tensor first = weight("first");
    private final Tensor second = weight("second");

    private Tensor weight(String name) {
        return Tensor.create(device, DType.F32, Shape.of(1, 2), name).requireGrad();
    }

    @Test
    void rowsAddUpOverPassesUntilTheGradientIsForgotten() {
        pass(DType.F32, 2, 2);
        assertRows(2, first);
        assertRows(0, second);
        pass(DType.F32, 0, 3);
        assertRows(2, first);
        assertRows(3, second);
        first.clearGrad();
        assertNull(first.gradRows());
        Tensor count = second.gradRows();
        second.clearGrad();
        pass(DType.F32, 0, 1);
        assertRows(0, first);
        assertRows(1, second);
        assertEquals(count, second.gradRows(), "the memory is used again");
    }

    @Test
    void rowsCountedForACastAreThoseOfTheWeight() {
        pass(DType.F16, 1, 1);
        pass(DType.F16, 2, 2);
        assertRows(3, first);
        assertRows(0, second);
        assertArrayEquals(new float[2], second.grad().toFloats());
        assertEquals(DType.F32, first.grad().dtype());
        first.clearGrad();
        pass(DType.BF16, 0, 4);
        assertRows(0, first);
        assertRows(4, second);
    }

    @Test
    void aWeightReadBothAsItIsAndCastCountsBoth() {
        try (Scope scope = new Scope(device)) {
            Tape tape = Tape.recording(scope);
            Tensor own = grouped(tape, DType.F32, first, 2);
            Tensor cast = grouped(tape, DType.F16, tape.cast(first, DType.F16), 3);
            backward(tape, own, cast);
        }
        assertRows(5, first);
        assertArrayEquals(new float[]{5, 5}, first.grad().toFloats());
    }

    @Test
    void anyOtherGradientIsThereWhateverTheRows() {
        for (boolean linearLast : new boolean[]{false, true}) {
            try (Scope scope = new Scope(device)) {
                Tape tape = Tape.recording(scope);
                Tensor x = ones(scope, DType.F32, 1);
                Tensor[] outputs = new Tensor[2];
                outputs[linearLast ? 1 : 0] = Linear.apply(tape, x, first);
                outputs[linearLast ? 0 : 1] = grouped(tape, DType.F32, first, 0);
                backward(tape, outputs);
            }
            assertNotNull(first.grad());
            assertNull(first.gradRows());
            pass(DType.F32, 0, 0);
            pass(DType.F16, 0, 0);
            assertNull(first.gradRows(), "later passes cannot take it back");
            first.clearGrad();
        }
        pass(DType.F32, 0, 0);
        assertRows(0, first);
    }

    @Test
    void aGradientOfACastThatOthersAddToIsThereToo() {
        try (Scope scope = new Scope(device)) {
            Tape tape = Tape.recording(scope);
            Tensor cast = tape.cast(first, DType.F16);
            backward(tape, grouped(tape, DType.F16, cast, 0), Linear.apply(tape, ones(scope, DType.F16, 1), cast));
        }
        assertNull(first.gradRows());
        assertArrayEquals(new float[]{1, 1}, first.grad().toFloats());
    }

    /** A cast that is no weight's passes no count on: its gradient is there. */
    @Test
    void anOrdinaryCastHasAGradient() {
        try (Scope scope = new Scope(device)) {
            Tape tape = Tape.recording(scope);
            backward(tape, grouped(tape, DType.F16, Cast.apply(tape, first, DType.F16), 0));
        }
        assertNotNull(first.grad());
        assertNull(first.gradRows());
    }

    @Test
    void theCountIsKeptAndClosedWithTheWeight() {
        Tensor kept;
        Tensor count;
        try (Scope outer = new Scope(device)) {
            try (Scope inner = outer.child()) {
                kept = inner.zeros(DType.F32, Shape.of(1, 2), "kept").requireGrad();
                Tape tape = Tape.recording(inner);
                backward(tape, grouped(tape, DType.F32, kept, 2));
                count = kept.gradRows();
                inner.keep(kept);
            }
            assertRows(2, kept);
        }
        assertTrue(count.closed());
        assertNull(kept.gradRows());
    }

    /** One pass over {@code to} rows, of which those before {@code split} are the first weight's. */
    private void pass(DType dtype, int split, int to) {
        try (Scope scope = new Scope(device)) {
            Tape tape = Tape.recording(scope);
            List<Tensor> weights = List.of(tape.cast(first, dtype), tape.cast(second, dtype));
            backward(tape, GroupedLinear.apply(tape, ones(scope, dtype, 4), weights,
                    scope.ints(new int[]{0, split, to}, "offsets")));
        }
    }

    private static Tensor grouped(Tape tape, DType dtype, Tensor weight, int rows) {
        return GroupedLinear.apply(tape, ones(tape.scope(), dtype, 4), List.of(weight),
                tape.scope().ints(new int[]{0, rows}, "offsets"));
    }

    private static void backward(Tape tape, Tensor... outputs) {
        Tensor[] seeds = new Tensor[outputs.length];
        for (int i = 0; i < seeds.length; i++) {
            seeds[i] = ones(tape.scope(), outputs[i].dtype(), outputs[i].shape().dims());
        }
        tape.backward(outputs, seeds);
    }

    private static Tensor ones(Scope scope, DType dtype, int rows) {
        return ones(scope, dtype, new long[]{rows, 2});
    }

    private static Tensor ones(Scope scope, DType dtype, long... dims) {
        Tensor ones = scope.allocate(dtype, Shape.of(dims), "ones");
        double[] values = new double[(int) ones.count()];
        java.util.Arrays.fill(values, 1);
        return ones.upload(values);
    }

    private static void assertRows(int expected, Tensor weight) {
        assertArrayEquals(new int[]{expected}, weight.gradRows().toInts(), weight.origin());
    }

    @AfterEach
    void leavesNoTensor() {
        first.close();
        second.close();
        assertEquals(0, device.liveTensors());
    }
}
