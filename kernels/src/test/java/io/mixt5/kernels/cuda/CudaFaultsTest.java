package io.mixt5.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.UserException;
import io.mixt5.engine.op.Add;
import io.mixt5.ffm.cuda.CudaException;
import io.mixt5.ffm.cuda.LibCuda;
import io.mixt5.ffm.cuda.StandIn;
import io.mixt5.kernels.emulator.Emulator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A driver that is missing, old, full or lost says so in one sentence, and what was allocated is given back. */
class CudaFaultsTest {
    @BeforeAll
    static void needsTheStandIn() {
        StandIn.assumeAvailable();
    }

    @Test
    void driverWithoutDevice() {
        try (StandIn standIn = StandIn.install(new Emulator())) {
            standIn.fail("cuInit", 1, CudaException.NO_DEVICE);
            String reason = new CudaBackend().unavailable();
            assertTrue(reason.contains("NO_DEVICE"), reason);
            assertNull(new CudaBackend().unavailable(), "only that one call was to fail");
        }
    }

    @Test
    void driverTooOld() {
        try (StandIn standIn = StandIn.install(new Emulator())) {
            standIn.pretendVersion(11040);
            String reason = new CudaBackend().unavailable();
            assertTrue(reason.contains("11.4") && reason.contains("install"), reason);
        }
    }

    @Test
    void memoryThatIsFullIsAskedForTwiceAndThenNamed() {
        try (StandIn standIn = StandIn.install(new Emulator())) {
            CudaBackend backend = new CudaBackend("cuda", LibCuda::driver, 0);
            Device device = Device.uncached(backend);
            try (Scope scope = new Scope(device)) {
                scope.zeros(DType.F32, Shape.of(8), "small");
                UserException e = assertThrows(UserException.class,
                        () -> scope.allocate(DType.F32, Shape.of(1L << 40), "too large"));
                assertTrue(e.getMessage().startsWith("there is no memory for too large F32[1099511627776] on cuda, "
                        + "4,398,046,511,104 bytes: 32 are in use by 1 tensors"), e.getMessage());
                assertTrue(e.getMessage().contains("OUT_OF_MEMORY") && e.getMessage().contains("free")
                        && e.getMessage().contains("smaller batches"), e.getMessage());
                assertTrue(standIn.calls("cuMemAlloc_v2") >= 2);
            }
            assertEquals(0, device.liveBytes());
        }
    }

    @Test
    void launchThatFailsNamesItsKernel() {
        fails("cuLaunchKernel", CudaException.LAUNCH_FAILED, "add_forward_f32");
    }

    @Test
    void deviceThatIsLostInMidStepSaysWhatToDo() {
        fails("cuStreamSynchronize", CudaException.ILLEGAL_ADDRESS, "checkpoint");
    }

    private static void fails(String function, int status, String mentioned) {
        try (StandIn standIn = StandIn.install(new Emulator())) {
            Device device = Device.uncached(new CudaBackend("cuda", LibCuda::driver, 0));
            Scope scope = new Scope(device);
            Tensor x = scope.zeros(DType.F32, Shape.of(8), "x");
            x.toFloats();
            standIn.fail(function, 1, status);
            CudaException e = assertThrows(CudaException.class,
                    () -> Add.apply(Tape.inference(scope), x, x).toFloats());
            assertEquals(status, e.status());
            assertTrue(e.getMessage().contains(mentioned), e.getMessage());
            assertTrue(CudaBackend.isDeviceFailure(e));
            // Nothing more can be done with such a device, and the driver takes its memory back with the process.
            assertThrows(CudaException.class, scope::close);
        }
    }
}
