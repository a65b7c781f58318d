package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.op.Add;
import io.mixt5.engine.op.Linear;
import io.mixt5.engine.op.RmsNorm;
import io.mixt5.engine.reference.ReferenceBackend;
import org.junit.jupiter.api.Test;

class DeviceTest {
    private final Device device = Device.of("reference");

    @Test
    void thereIsOneDevicePerName() {
        assertSame(device, Device.of("reference"));
        assertEquals("reference", device.name());
        assertEquals("reference", device.toString());
        assertTrue(device.backend().hostVisible());
    }

    @Test
    void anUnknownNameListsTheKnownOnes() {
        var error = assertThrows(UserException.class, () -> Device.of("gpu9"));
        assertTrue(error.getMessage().contains("'gpu9'"), error.getMessage());
        assertTrue(error.getMessage().contains("choose one of"), error.getMessage());
        assertTrue(error.getMessage().contains("reference"), error.getMessage());
    }

    @Test
    void aNumberNamesOneOfSeveral() {
        assertSame(device, Device.of("reference:0"));
        var error = assertThrows(UserException.class, () -> Device.of("reference:3"));
        assertEquals("there is no device 'reference:3': reference has none of that number here; count from reference:0",
                error.getMessage());
        for (String name : new String[]{"reference:", "reference:x", "reference:-1", ":0", ""}) {
            assertThrows(UserException.class, () -> Device.of(name), name);
        }
    }

    @Test
    void aRefusedTypeNamesOpDeviceAndReason() {
        assertNotNull(device.kernel(Add.Kernel.class, DType.BF16));
        var error = assertThrows(UnsupportedOperationException.class, () -> device.kernel(Add.Kernel.class, DType.I32));
        for (String part : new String[]{"Add", "reference", "I32", "floats only"}) {
            assertTrue(error.getMessage().contains(part), error.getMessage());
        }
    }

    @Test
    void blocksAreAlignedToCacheLines() {
        try (Scope scope = new Scope(device)) {
            for (long n = 1; n < 100; n++) {
                assertEquals(0, scope.allocate(DType.F16, Shape.of(n), "aligned").address() % 64);
            }
        }
        try (Tensor exact = Tensor.create(Device.uncached(new ReferenceBackend()), DType.F16, Shape.of(3), "exact")) {
            assertEquals(0, exact.address() % 64);
        }
    }

    @Test
    void aWarmStepReservesNothing() {
        device.trim();
        long live = device.liveBytes();
        try (Tensor weight = Tensor.create(device, DType.F32, Shape.of(8, 8), "weight").requireGrad();
                Tensor scale = Tensor.create(device, DType.F32, Shape.of(8), "scale").requireGrad()) {
            step(weight, scale, 40);
            long reserved = device.reservedBytes();
            for (int rows = 40; rows > 30; rows--) {
                step(weight, scale, rows);
                assertEquals(reserved, device.reservedBytes(), "with " + rows + " rows");
            }
        }
        assertEquals(live, device.liveBytes());
        assertTrue(device.reservedBytes() > live);
        device.trim();
        assertEquals(device.liveBytes(), device.reservedBytes());
    }

    private void step(Tensor weight, Tensor scale, int rows) {
        try (Scope scope = new Scope(device)) {
            Tensor x = scope.zeros(DType.F32, Shape.of(rows, 8), "x");
            Tape tape = Tape.recording(scope);
            Tensor y = Linear.apply(tape, RmsNorm.apply(tape, x, scale, 1e-6f), weight);
            tape.backward(new Tensor[]{y}, new Tensor[]{scope.zeros(DType.F32, y.shape(), "dy")});
        }
    }
}
