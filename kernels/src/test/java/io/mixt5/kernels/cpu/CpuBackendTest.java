package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.op.Cast;
import io.mixt5.engine.op.RmsNorm;
import org.junit.jupiter.api.Test;

class CpuBackendTest {
    @Test
    void isFoundByItsName() {
        Device device = Device.of("cpu");
        assertEquals(CpuBackend.class, device.backend().getClass());
        assertTrue(device.backend().hostVisible());
        assertNull(device.backend().unavailable());
    }

    @Test
    void blocksStartAtCacheLines() {
        CpuBackend backend = new CpuBackend();
        for (long bytes : new long[]{1, 100, 1 << 20}) {
            long address = backend.allocate(bytes);
            assertEquals(0, address % 64);
            backend.free(address, bytes);
        }
    }

    @Test
    void halfTypesAreOnlyCast() {
        Device device = Device.of("cpu");
        assertNull(device.kernel(Cast.Kernel.class, DType.BF16).unsupported(DType.BF16));
        String message = assertThrows(UnsupportedOperationException.class,
                () -> device.kernel(RmsNorm.Kernel.class, DType.BF16)).getMessage();
        assertEquals("RmsNorm on cpu does not take BF16: the CPU computes in F32; cast first", message);
    }
}
