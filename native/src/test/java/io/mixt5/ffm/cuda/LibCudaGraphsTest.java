package io.mixt5.ffm.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** The binding of the driver's graphs, and that the stand-in keeps and refuses what cuda.h says. */
@SuppressWarnings("restricted")
class LibCudaGraphsTest {
    private static final String PTX = """
            .version 6.5
            .visible .entry add(
                .param .u64 .ptr .align 4 add_param_0,
                .param .f32 add_param_1,
                .param .u32 add_param_2
            )
            """;

    private final FakeDriver fake = new FakeDriver();
    private final Arena arena = Arena.ofConfined();
    private StandIn standIn;
    private LibCuda driver;
    private CudaGraphs graphs;
    private long stream;
    private long memory;
    private long function;
    private MemorySegment host;

    @BeforeEach
    void install() {
        StandIn.assumeAvailable();
        standIn = StandIn.install(fake);
        driver = LibCuda.driver();
        graphs = driver.graphs();
        driver.makeCurrent(driver.retainPrimaryContext(0));
        function = driver.function(driver.loadModule(arena.allocateFrom(PTX), "add.ptx"), "add");
        stream = driver.createStream();
        memory = driver.allocate(16);
        host = MemorySegment.ofAddress(driver.allocateHost(16)).reinterpret(16);
    }

    @AfterEach
    void takeAway() {
        if (standIn != null) {
            standIn.close();
        }
        arena.close();
    }

    private void add(float value, int count) {
        try (Arena parameters = Arena.ofConfined()) {
            MemorySegment values = parameters.allocateFrom(JAVA_LONG, memory);
            MemorySegment each = parameters.allocateFrom(JAVA_FLOAT, value);
            MemorySegment number = parameters.allocateFrom(JAVA_INT, count);
            MemorySegment addresses = parameters.allocateFrom(JAVA_LONG, values.address(), each.address(),
                    number.address());
            driver.launch(function, "add", 1, 1, 1, 32, 1, 1, 0, stream, addresses.address());
            // What the driver has not copied is gone now.
            each.set(JAVA_FLOAT, 0, Float.NaN);
            number.set(JAVA_INT, 0, -1);
            addresses.fill((byte) 0);
        }
    }

    /** A graph that zeroes the memory, uploads two floats, and adds {@code value} to all four. */
    private long capture(float value) {
        graphs.beginCapture(stream);
        driver.fill(memory, (byte) 0, 16, stream);
        driver.upload(host.address(), memory, 8, stream);
        add(value, 4);
        return graphs.endCapture(stream);
    }

    private void give(float first, float second) {
        host.setAtIndex(JAVA_FLOAT, 0, first);
        host.setAtIndex(JAVA_FLOAT, 1, second);
    }

    private float[] content() {
        return fake.memory(memory, 16).toArray(JAVA_FLOAT);
    }

    private static void fails(int status, Executable call) {
        CudaException e = assertThrows(CudaException.class, call);
        assertEquals(status, e.status(), e.getMessage());
    }

    @Test
    void workIsDoneWhenItsGraphIsLaunched() {
        int before = fake.calls.size();
        give(7, 7);
        long graph = capture(0.5f);
        assertEquals(before, fake.calls.size(), "nothing is done while it is captured");
        long executable = graphs.instantiate(graph);
        graphs.destroyGraph(graph);
        give(1, 2);
        graphs.launch(executable, stream);
        assertArrayEquals(new float[]{1.5f, 2.5f, 0.5f, 0.5f}, content());
        give(3, 4);
        graphs.launch(executable, stream);
        assertArrayEquals(new float[]{3.5f, 4.5f, 0.5f, 0.5f}, content());
        assertEquals(6, standIn.graphNodes());
        graphs.destroyExecutable(executable);
        assertEquals(List.of(0, 0, 0), standIn.liveGraphs());
        assertEquals(List.of(), standIn.thrown());
    }

    @Test
    void updatesTakeParametersButNoOtherNodes() {
        give(0, 0);
        long first = capture(1);
        long executable = graphs.instantiate(first);
        long second = capture(2);
        graphs.update(executable, second);
        graphs.launch(executable, stream);
        assertArrayEquals(new float[]{2, 2, 2, 2}, content());

        graphs.beginCapture(stream);
        add(5, 4);
        long shorter = graphs.endCapture(stream);
        CudaException e = assertThrows(CudaException.class, () -> graphs.update(executable, shorter));
        assertEquals("cuGraphExecUpdate_v2 failed with CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE: an executable graph, with "
                + "CUgraphExecUpdateResult 2", e.getMessage());
        graphs.beginCapture(stream);
        driver.fill(memory, (byte) 0, 16, stream);
        driver.copy(memory, memory + 8, 8, stream);
        add(1, 4);
        long other = graphs.endCapture(stream);
        assertTrue(assertThrows(CudaException.class, () -> graphs.update(executable, other)).getMessage()
                .endsWith("CUgraphExecUpdateResult 3"));
        for (long graph : new long[]{first, second, shorter, other}) {
            graphs.destroyGraph(graph);
        }
        fails(CudaException.INVALID_VALUE, () -> graphs.destroyGraph(first));
        graphs.destroyExecutable(executable);
        fails(CudaException.INVALID_VALUE, () -> graphs.launch(executable, stream));
    }

    @Test
    void whatCannotBeCapturedIsRefusedAndSpoilsTheCapture() {
        long pageable = arena.allocate(8).address();
        long event = driver.createEvent(false);
        long executable = graphs.instantiate(capture(1));
        List<Executable> forbidden = List.of(() -> driver.synchronize(stream), () -> driver.record(event, stream),
                () -> driver.await(stream, event), () -> driver.upload(pageable, memory, 8, stream),
                () -> graphs.launch(executable, stream), () -> driver.destroyStream(stream));
        forbidden.forEach(call -> {
            graphs.beginCapture(stream);
            fails(CudaException.STREAM_CAPTURE_UNSUPPORTED, call);
            fails(CudaException.STREAM_CAPTURE_INVALIDATED, () -> add(1, 1));
            fails(CudaException.STREAM_CAPTURE_INVALIDATED, () -> graphs.endCapture(stream));
            fails(CudaException.STREAM_CAPTURE_UNMATCHED, () -> graphs.endCapture(stream));
            add(0, 4);
        });
        fails(CudaException.STREAM_CAPTURE_UNSUPPORTED, () -> graphs.beginCapture(0));
        graphs.beginCapture(stream);
        fails(CudaException.INVALID_VALUE, () -> graphs.beginCapture(stream));
    }

    @Test
    void memoryIsAllocatedDuringARelaxedCaptureOnly() {
        graphs.beginCapture(stream);
        driver.free(driver.allocate(16));
        graphs.destroyGraph(graphs.endCapture(stream));
        for (int mode : new int[]{0, 1}) {
            assertEquals(CudaStatus.SUCCESS, Downcalls.call(Cu.STREAM_BEGIN_CAPTURE, stream, mode));
            fails(CudaException.STREAM_CAPTURE_UNSUPPORTED, () -> driver.allocate(16));
            fails(CudaException.STREAM_CAPTURE_INVALIDATED, () -> graphs.endCapture(stream));
        }
    }

    @Test
    void anotherThreadEndsARelaxedCaptureOnly() throws InterruptedException {
        for (int mode : new int[]{2, 1}) {
            assertEquals(CudaStatus.SUCCESS, Downcalls.call(Cu.STREAM_BEGIN_CAPTURE, stream, mode));
            int[] status = new int[1];
            Thread other = Thread.ofPlatform().start(() -> {
                try {
                    graphs.destroyGraph(graphs.endCapture(stream));
                } catch (CudaException e) {
                    status[0] = e.status();
                }
            });
            other.join();
            assertEquals(mode == 2 ? CudaStatus.SUCCESS : CudaException.STREAM_CAPTURE_WRONG_THREAD, status[0]);
        }
    }
}
