package io.mixt5.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
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
import io.mixt5.engine.op.Linear;
import io.mixt5.engine.op.RmsNorm;
import io.mixt5.engine.op.Scale;
import io.mixt5.ffm.cuda.CudaException;
import io.mixt5.ffm.cuda.LibCuda;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Work that is captured as graphs has the results of work that is not, whatever happens in its midst. */
class CudaGraphsTest {
    private static final int WIDTH = 8;
    private static final Device PLAIN = Device.uncached(new EmulatorBackend());

    private GraphedGpu gpu;

    @BeforeAll
    static void needsTheStandIn() {
        GraphedGpu.assumeAvailable();
    }

    @BeforeEach
    void install() {
        install(true, "own");
    }

    /** A device whose modules are loaded. */
    private void install(boolean graphs, String gemm) {
        gpu = new GraphedGpu(graphs, gemm);
        try (Scope scope = new Scope(gpu.device())) {
            work(scope, 1, 1, inner -> {
            }).toFloats();
            Scale.inPlace(scope.zeros(DType.F32, Shape.of(1), "x"), 2);
        }
    }

    @AfterEach
    void takeAway() {
        gpu.close();
    }

    private static float[] values(int count, int seed) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (i * 7 + seed * 3) % 11 / 4f - 1;
        }
        return values;
    }

    /** Something with products, rows and copies, {@code turns} times; {@code midst} is done within the last. */
    private static Tensor work(Scope scope, int rows, int turns, Consumer<Scope> midst) {
        Tape tape = Tape.inference(scope);
        Tensor weight = scope.floats(Shape.of(WIDTH, WIDTH), values(WIDTH * WIDTH, 1), "weight");
        Tensor norm = scope.floats(Shape.of(WIDTH), values(WIDTH, 2), "norm");
        Tensor x = scope.floats(Shape.of(rows, WIDTH), values(rows * WIDTH, rows), "x");
        for (int turn = 0; turn < turns; turn++) {
            Tensor sum = scope.zeros(DType.F32, x.shape(), "sum");
            sum.copyFrom(RmsNorm.apply(tape, Linear.apply(tape, x, weight), norm, 1e-6f));
            if (turn == turns - 1) {
                midst.accept(scope);
            }
            Tensor next = Add.apply(tape, sum, x);
            x.close();
            x = next;
        }
        return x;
    }

    private static float[] result(Device device, int rows, int turns, Consumer<Scope> midst) {
        try (Scope scope = new Scope(device)) {
            return device.backend().together(() -> work(scope, rows, turns, midst)).toFloats();
        }
    }

    private static float[] result(Device device, int rows, int turns) {
        return result(device, rows, turns, scope -> {
        });
    }

    private static float[] expected(int rows, int turns) {
        return result(PLAIN, rows, turns);
    }

    @Test
    void oneGraphIsUpdatedForOtherShapesAndAddresses() {
        for (int rows = 1; rows <= 6; rows++) {
            assertArrayEquals(expected(rows, 3), result(gpu.device(), rows, 3));
        }
        assertEquals(List.of(6L, 1L, 5L), List.of(gpu.launches(), gpu.made(), gpu.updates()));
        // Three uploads, and for each turn a fill, a copy, and the kernels of the product, the norm and the sum.
        assertEquals(6 * (3 + 3 * 5), gpu.nodes());
        assertEquals(List.of(0, 1, 0), gpu.live());
        assertEquals(List.of(), gpu.thrown());
        assertEquals(0, gpu.device().liveBytes());
    }

    @Test
    void otherWorkMakesAnotherGraphAndFewAreKept() {
        for (int round = 0; round < 2; round++) {
            for (int turns = 1; turns <= 3; turns++) {
                assertArrayEquals(expected(2, turns), result(gpu.device(), 2, turns));
            }
        }
        assertEquals(List.of(6L, 3L, 3L), List.of(gpu.launches(), gpu.made(), gpu.updates()));
        for (int turns = 4; turns < 20; turns++) {
            result(gpu.device(), 1, turns);
        }
        assertEquals(List.of(0, 16, 0), gpu.live());
        assertEquals(List.of(), gpu.thrown());
    }

    @Test
    void whoReadsInTheMidstGetsWhatWasDoneBefore() {
        float[][] read = new float[1][];
        float[] result = result(gpu.device(), 3, 2, scope -> {
            Tensor y = Scale.apply(Tape.inference(scope), scope.floats(Shape.of(3), new float[]{1, 2, 3}, "y"), 2);
            Thread other = Thread.ofPlatform().start(() -> read[0] = y.toFloats());
            join(other);
        });
        assertArrayEquals(new float[]{2, 4, 6}, read[0]);
        assertArrayEquals(expected(3, 2), result);
        assertEquals(List.of(2L, 2L), List.of(gpu.launches(), gpu.made()));
        assertEquals(List.of(), gpu.thrown());
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** More than the staging memory holds, so that it is used again. */
    @Test
    void largeUploadsInTheMidst() {
        float[] large = values(3 << 20, 5);
        float[][] read = new float[1][];
        float[] result = result(gpu.device(), 3, 2, scope -> {
            Tensor there = scope.floats(Shape.of(large.length), large, "large");
            read[0] = there.toFloats();
        });
        assertArrayEquals(large, read[0]);
        assertArrayEquals(expected(3, 2), result);
    }

    @Test
    void memoryThatIsGivenBackInTheMidstServesWhoNeedsIt() {
        gpu.device().backend().together(() -> {
            try (Scope scope = new Scope(gpu.device())) {
                Scale.apply(Tape.inference(scope), scope.zeros(DType.F32, Shape.of(4), "x"), 2);
            }
            long before = gpu.standIn().calls("cuMemFree_v2");
            gpu.standIn().fail("cuMemAlloc_v2", 1, CudaException.OUT_OF_MEMORY);
            try (Tensor y = Tensor.create(gpu.device(), DType.F32, Shape.of(4), "y")) {
                assertEquals(before + 2, gpu.standIn().calls("cuMemFree_v2"), "given back once it was used");
                assertArrayEquals(new float[4], y.toFloats());
            }
            return null;
        });
        assertEquals(0, gpu.device().liveBytes());
        assertEquals(gpu.standIn().calls("cuMemAlloc_v2") - 3, gpu.standIn().calls("cuMemFree_v2"),
                "all but the refused one, the tables and the router's word");
    }

    @ParameterizedTest
    @CsvSource({"cuStreamBeginCapture_v2, 900", "cuGraphInstantiateWithFlags, 2", "cuGraphLaunch, 1",
            "cuLaunchKernel, 900", "cuMemcpyDtoDAsync_v2, 900", "cuGraphDestroy, 1"})
    void driverThatRefusesGraphsIsGoneOnWithWithoutThem(String function, int status) {
        result(gpu.device(), 2, 3);
        gpu.standIn().fail(function, 1, status);
        boolean made = function.equals("cuGraphInstantiateWithFlags");
        long launches = gpu.launches();
        assertArrayEquals(expected(2, made ? 4 : 3), result(gpu.device(), 2, made ? 4 : 3));
        assertArrayEquals(expected(5, 3), result(gpu.device(), 5, 3));
        assertEquals(launches + (function.equals("cuGraphLaunch") ? 1 : 0), gpu.launches());
        assertEquals(function.equals("cuGraphDestroy") ? 1 : 0, gpu.live().getFirst());
        assertEquals(List.of(0, 0), gpu.live().subList(1, 3));
        assertEquals(0, gpu.device().liveBytes());
    }

    @Test
    void graphThatCannotBeUpdatedIsMadeAnew() {
        result(gpu.device(), 2, 3);
        gpu.standIn().fail("cuGraphExecUpdate_v2", 1, CudaException.GRAPH_EXEC_UPDATE_FAILURE);
        for (int rows = 3; rows < 6; rows++) {
            assertArrayEquals(expected(rows, 3), result(gpu.device(), rows, 3));
        }
        assertEquals(List.of(4L, 2L, 3L), List.of(gpu.launches(), gpu.made(), gpu.updates()));
        assertEquals(List.of(0, 1, 0), gpu.live());
    }

    /** Were anything of ours to wait in the midst, the driver would refuse and spoil the capture: nothing is lost. */
    @ParameterizedTest
    @CsvSource({"1", "2"})
    void spoiltCaptureIsDoneWithoutGraphs(int turns) {
        long stream = gpu.backend().gpu().stream().handle();
        float[] result = result(gpu.device(), 2, turns, scope -> {
            CudaException e = assertThrows(CudaException.class, () -> LibCuda.driver().synchronize(stream));
            assertEquals(CudaException.STREAM_CAPTURE_UNSUPPORTED, e.status());
        });
        assertArrayEquals(expected(2, turns), result);
        gpu.device().backend().together(() -> null);
        assertEquals(0, gpu.launches());
        assertEquals(List.of(0, 0, 0), gpu.live());
    }

    @Test
    void deviceThatIsLostInAGraphSaysWhatToDo() {
        gpu.standIn().fail("cuGraphLaunch", 1, CudaException.LAUNCH_FAILED);
        Scope scope = new Scope(gpu.device());
        CudaException e = assertThrows(CudaException.class, () -> gpu.device().backend()
                .together(() -> Scale.apply(Tape.inference(scope), scope.zeros(DType.F32, Shape.of(4), "x"), 2)));
        assertTrue(e.deviceLost() && e.getMessage().contains("checkpoint"), e.getMessage());
    }

    @Test
    void workThatFailsKeepsItsOwnError() {
        assertEquals("ours", assertThrows(IllegalStateException.class, () -> result(gpu.device(), 2, 2, scope -> {
            throw new IllegalStateException("ours");
        })).getMessage());
        assertArrayEquals(expected(2, 3), result(gpu.device(), 2, 3));
        assertEquals(0, gpu.live().getLast());
        assertEquals(0, gpu.device().liveBytes());
    }

    @Test
    void propertyDoesWithoutGraphs() {
        gpu.close();
        install(false, "own");
        assertArrayEquals(expected(2, 3), result(gpu.device(), 2, 3));
        assertEquals(0, gpu.standIn().calls("cuStreamBeginCapture_v2"));
        System.setProperty("mixt5.cuda.graphs", "always");
        try {
            assertEquals("System property mixt5.cuda.graphs is 'always': use on or off.",
                    assertThrows(UserException.class, new CudaBackend("cuda", LibCuda::driver, 0)::gpu).getMessage());
        } finally {
            System.clearProperty("mixt5.cuda.graphs");
        }
    }

    @Test
    void cublasIsCaptured() {
        gpu.close();
        install(false, "cublas");
        float[] plain = result(gpu.device(), 3, 2);
        gpu.close();
        install(true, "cublas");
        long products = gpu.standIn().calls("cublasSgemm_v2");
        assertArrayEquals(plain, result(gpu.device(), 3, 2));
        assertArrayEquals(plain, result(gpu.device(), 3, 2));
        assertEquals(List.of(2L, 1L, 1L), List.of(gpu.launches(), gpu.made(), gpu.updates()));
        assertEquals(4, gpu.standIn().calls("cublasSgemm_v2") - products);
        assertEquals(2 * (3 + 2 * 5), gpu.nodes());
    }
}
