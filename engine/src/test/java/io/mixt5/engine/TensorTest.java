package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.reference.ReferenceBackend;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class TensorTest {
    private final Device device = Device.uncached(new GuardedBackend(new ReferenceBackend()));
    private final Scope scope = new Scope(device);

    @AfterEach
    void close() {
        scope.close();
        assertEquals(0, device.liveTensors());
    }

    private static void refused(String part, Executable call) {
        var error = assertThrows(IllegalArgumentException.class, call);
        assertTrue(error.getMessage().contains(part), error.getMessage());
    }

    @Test
    void saysWhatItIs() {
        Tensor tensor = scope.allocate(DType.F16, Shape.of(2, 3), "thing");
        assertSame(device, tensor.device());
        assertEquals(DType.F16, tensor.dtype());
        assertEquals(Shape.of(2, 3), tensor.shape());
        assertEquals(6, tensor.count());
        assertEquals(12, tensor.bytes());
        assertEquals("thing", tensor.origin());
        assertEquals("thing F16[2, 3] on reference", tensor.toString());
    }

    @Test
    void sizesAreCountedExactly() {
        assertThrows(ArithmeticException.class, () -> scope.allocate(DType.F64, Shape.of(1L << 61), "huge"));
        assertEquals(0, device.liveTensors());
    }

    @Test
    void createGivesZerosThatTheCallerOwns() {
        Tensor tensor = Tensor.create(device, DType.F32, Shape.of(3, 5), "mine");
        assertArrayEquals(new float[15], tensor.toFloats());
        scope.close();
        assertFalse(tensor.closed());
        tensor.close();
        assertTrue(tensor.closed());
    }

    @Test
    void floatsComeBackAsTheyWent() {
        float[] values = {1, -0f, Float.MIN_VALUE, Float.NaN, Float.NEGATIVE_INFINITY, 3.4e38f};
        assertArrayEquals(values, scope.floats(Shape.of(2, 3), values, "floats").toFloats());
    }

    @Test
    void intsComeBackAsTheyWent() {
        int[] values = {1, -1, Integer.MIN_VALUE, Integer.MAX_VALUE};
        assertArrayEquals(values, scope.ints(values, "ints").toInts());
    }

    @Test
    void bytesAreTakenAsTheyAre() {
        Tensor tensor = scope.allocate(DType.BF16, Shape.of(2), "half");
        tensor.upload(MemorySegment.ofArray(new short[]{0x3f80, (short) 0xc000}));
        assertEquals(1, tensor.get(0));
        assertEquals(-2, tensor.get(1));
    }

    @Test
    void elementsAreReadAndSetOneByOne() {
        Tensor tensor = scope.zeros(DType.F16, Shape.of(2, 2), "half");
        tensor.set(3, 1 + 0x1p-11 + 0x1p-20);
        assertEquals(1 + 0x1p-10, tensor.get(3), "rounded to the type");
        assertEquals(0, tensor.get(2));
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.get(4));
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.set(-1, 0));
    }

    @Test
    void rowsFollowEachOther() {
        Tensor tensor = scope.zeros(DType.F32, Shape.of(2, 3, 5), "rows");
        assertEquals(tensor.address() + 4 * 5 * 4, tensor.rowAddress(4));
    }

    @Test
    void uploadsOfTheWrongSizeOrTypeAreRefused() {
        Tensor floats = scope.zeros(DType.F32, Shape.of(2, 3), "w");
        refused("w F32[2, 3]", () -> floats.upload(new float[5]));
        refused("w F32[2, 3]", () -> floats.upload(new float[7]));
        refused("20 bytes", () -> floats.upload(MemorySegment.ofArray(new byte[20])));
        refused("is not I32", () -> floats.upload(new int[6]));
        refused("is not I32", floats::toInts);
        Tensor ints = scope.ints(new int[]{1, 2}, "ids");
        refused("ids I32[2]", () -> ints.upload(new float[2]));
        refused("is not F32", ints::toFloats);
        assertArrayEquals(new float[6], floats.toFloats(), "refused uploads change nothing");
    }

    @Test
    void emptyTensorsHaveAPlaceButNoContent() {
        Tensor tensor = scope.floats(Shape.of(0, 8), new float[0], "empty");
        assertEquals(0, tensor.bytes());
        assertArrayEquals(new float[0], tensor.toFloats());
        tensor.zero();
        assertTrue(tensor.address() != 0);
    }

    @Test
    void copiesContentOfOneTypeAndCount() {
        Tensor source = scope.floats(Shape.of(2, 2), new float[]{1, 2, 3, 4}, "source");
        Tensor target = scope.zeros(DType.F32, Shape.of(4), "target");
        target.copyFrom(source);
        assertArrayEquals(source.toFloats(), target.toFloats());
        refused("cannot copy", () -> scope.zeros(DType.F32, Shape.of(5), "five").copyFrom(source));
        refused("cannot copy", () -> scope.zeros(DType.F16, Shape.of(4), "half").copyFrom(source));
        try (Tensor elsewhere = Tensor.create(Device.of("reference"), DType.F32, Shape.of(4), "elsewhere")) {
            refused("cannot copy", () -> elsewhere.copyFrom(source));
        }
    }

    @Test
    void useAfterCloseNamesOpShapeAndPlace() {
        Tensor tensor = scope.allocate(DType.F32, Shape.of(3, 5), "rms_norm");
        tensor.close();
        Executable[] uses = {tensor::address, tensor::zero, tensor::toFloats, () -> tensor.upload(new float[15]),
                () -> tensor.get(0), () -> tensor.set(0, 1), () -> tensor.rowAddress(1)};
        for (Executable use : uses) {
            var error = assertThrows(IllegalStateException.class, use);
            assertTrue(error.getMessage().contains("rms_norm F32[3, 5]"), error.getMessage());
            assertTrue(error.getMessage().contains("closed"), error.getMessage());
            assertNotNull(error.getCause(), "tests run with assertions on");
            assertTrue(Arrays.stream(error.getCause().getStackTrace())
                    .anyMatch(frame -> frame.getMethodName().equals("useAfterCloseNamesOpShapeAndPlace")));
        }
        assertEquals("rms_norm F32[3, 5] on reference", tensor.toString(), "a closed tensor can still be printed");
    }

    @Test
    void closingTwiceIsHarmless() {
        Tensor tensor = scope.allocate(DType.F32, Shape.of(3), "twice");
        tensor.close();
        tensor.close();
        assertEquals(0, device.liveTensors());
    }

    @Test
    void closingTakesTheGradientAlong() {
        Tensor leaf = Tensor.create(device, DType.F32, Shape.of(3), "leaf").requireGrad();
        leaf.setGrad(Tensor.create(device, DType.F32, Shape.of(3), "its gradient"));
        Tensor gradient = leaf.grad();
        leaf.close();
        assertTrue(gradient.closed());
        assertNull(leaf.grad());
    }

    @Test
    void aForgottenGradientKeepsItsMemory() {
        Tensor leaf = scope.zeros(DType.F32, Shape.of(3), "leaf");
        leaf.setGrad(scope.zeros(DType.F32, Shape.of(3), "its gradient"));
        Tensor gradient = leaf.grad();
        leaf.clearGrad();
        assertNull(leaf.grad());
        assertFalse(gradient.closed());
        leaf.markGradSet(false);
        assertSame(gradient, leaf.grad());
    }

    @Test
    void onlyFloatsHaveGradients() {
        assertFalse(scope.zeros(DType.F32, Shape.of(1), "x").requiresGrad());
        assertTrue(scope.zeros(DType.F16, Shape.of(1), "x").requireGrad().requiresGrad());
        refused("cannot have a gradient", () -> scope.ints(new int[1], "ids").requireGrad());
    }

    @Test
    void vectorsAreParametersOfRankOne() {
        Parameter norm = new Parameter("norm", scope.zeros(DType.F32, Shape.of(4), "norm"));
        assertTrue(norm.isVector());
        assertTrue(norm.value().requiresGrad());
        assertFalse(new Parameter("w", scope.zeros(DType.F32, Shape.of(4, 1), "w")).isVector());
    }
}
