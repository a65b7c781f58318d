package io.mixt5.ffm.cuda;

import static io.mixt5.ffm.cuda.Downcalls.call;
import static io.mixt5.ffm.cuda.LibCuda.check;
import static io.mixt5.ffm.cuda.LibCuda.readLong;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The graphs of {@link LibCuda}. */
final class LibCudaGraphs implements CudaGraphs {
    private static final int CAPTURE_RELAXED = 2;
    private static final long NO_FLAGS = 0;

    /** CUgraphExecUpdateResultInfo. */
    private static final MemoryLayout UPDATE_RESULT = MemoryLayout.structLayout(
            ValueLayout.JAVA_INT.withName("result"), MemoryLayout.paddingLayout(Integer.BYTES),
            ValueLayout.JAVA_LONG.withName("errorNode"), ValueLayout.JAVA_LONG.withName("errorFromNode"));

    @Override
    public void beginCapture(long stream) {
        check(call(Cu.STREAM_BEGIN_CAPTURE, stream, CAPTURE_RELAXED), "cuStreamBeginCapture_v2", "a stream");
    }

    @Override
    public long endCapture(long stream) {
        return readLong("cuStreamEndCapture", "a stream's graph", out -> call(Cu.STREAM_END_CAPTURE, stream, out));
    }

    @Override
    public long instantiate(long graph) {
        return readLong("cuGraphInstantiateWithFlags", "an executable graph",
                out -> call(Cu.GRAPH_INSTANTIATE, out, graph, NO_FLAGS));
    }

    @Override
    public void update(long executable, long graph) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment result = arena.allocate(UPDATE_RESULT);
            int status = call(Cu.GRAPH_UPDATE, executable, graph, result.address());
            check(status, "cuGraphExecUpdate_v2",
                    "an executable graph, with CUgraphExecUpdateResult " + result.get(ValueLayout.JAVA_INT, 0));
        }
    }

    @Override
    public void launch(long executable, long stream) {
        check(call(Cu.GRAPH_LAUNCH, executable, stream), "cuGraphLaunch", "an executable graph");
    }

    @Override
    public void destroyGraph(long graph) {
        check(call(Cu.GRAPH_DESTROY, graph), "cuGraphDestroy", "a graph");
    }

    @Override
    public void destroyExecutable(long executable) {
        check(call(Cu.GRAPH_EXEC_DESTROY, executable), "cuGraphExecDestroy", "an executable graph");
    }
}
