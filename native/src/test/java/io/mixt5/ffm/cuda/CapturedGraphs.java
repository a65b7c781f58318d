package io.mixt5.ffm.cuda;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What cuda.h says of stream capture and graphs, for a driver that has none: work put into a stream that is being
 * captured is kept, and done when an executable graph of it is launched. A graph is the chain of one stream.
 */
final class CapturedGraphs {
    private static final int GLOBAL = 0;
    private static final int RELAXED = 2;
    /** CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED and ..._NODE_TYPE_CHANGED. */
    private static final int TOPOLOGY_CHANGED = 2;
    private static final int NODE_TYPE_CHANGED = 3;

    private final Map<Long, Capture> captures = new HashMap<>();
    private final Map<Long, List<Node>> graphs = new HashMap<>();
    private final Map<Long, List<Node>> executables = new HashMap<>();
    private long lastHandle = 0x9000;
    private long nodesRun;

    /** Work of one kind, the driver's type of node. */
    private record Node(String kind, Runnable work) {
    }

    private static final class Capture {
        private final int mode;
        private final Thread thread = Thread.currentThread();
        private final List<Node> nodes = new ArrayList<>();
        private boolean invalid;

        Capture(int mode) {
            this.mode = mode;
        }
    }

    synchronized void begin(long stream, int mode) {
        if (stream == 0) {
            throw new CudaException(CudaException.STREAM_CAPTURE_UNSUPPORTED, "begin", "the default stream");
        }
        if (mode < GLOBAL || mode > RELAXED || captures.putIfAbsent(stream, new Capture(mode)) != null) {
            throw new CudaException(CudaException.INVALID_VALUE, "begin", "a stream in mode " + mode
                    + ", or captured already");
        }
    }

    synchronized long end(long stream) {
        Capture capture = captures.get(stream);
        if (capture == null) {
            throw new CudaException(CudaException.STREAM_CAPTURE_UNMATCHED, "end", "a stream that is not captured");
        }
        if (capture.mode != RELAXED && capture.thread != Thread.currentThread()) {
            throw new CudaException(CudaException.STREAM_CAPTURE_WRONG_THREAD, "end", "a capture of " + capture.thread);
        }
        captures.remove(stream);
        if (capture.invalid) {
            throw new CudaException(CudaException.STREAM_CAPTURE_INVALIDATED, "end", "a capture that was spoilt");
        }
        graphs.put(++lastHandle, capture.nodes);
        return lastHandle;
    }

    /** Does work in a stream: now, or when the graph that the stream is being captured into is launched. */
    void run(long stream, String kind, Runnable work) {
        if (!captured(stream, kind, work)) {
            work.run();
        }
    }

    private synchronized boolean captured(long stream, String kind, Runnable work) {
        Capture capture = captures.get(stream);
        if (capture != null && capture.invalid) {
            throw new CudaException(CudaException.STREAM_CAPTURE_INVALIDATED, kind, "a capture that was spoilt");
        }
        return capture != null && capture.nodes.add(new Node(kind, work));
    }

    synchronized boolean capturing(long stream) {
        return captures.containsKey(stream);
    }

    /** Refuses what cannot be while this stream is being captured. */
    synchronized void forbid(long stream, String call) {
        refuse(captures.containsKey(stream) ? List.of(captures.get(stream)) : List.of(), call);
    }

    /** Refuses what cuda.h calls potentially unsafe, where a capture in the way is not in the relaxed mode. */
    synchronized void forbidUnsafe(String call) {
        refuse(captures.values().stream().filter(capture -> capture.mode == GLOBAL
                || capture.mode != RELAXED && capture.thread == Thread.currentThread()).toList(), call);
    }

    private static void refuse(Collection<Capture> because, String call) {
        if (!because.isEmpty()) {
            because.forEach(capture -> capture.invalid = true);
            throw new CudaException(CudaException.STREAM_CAPTURE_UNSUPPORTED, call, "a stream is being captured");
        }
    }

    synchronized long instantiate(long graph) {
        executables.put(++lastHandle, List.copyOf(require(graphs, graph)));
        return lastHandle;
    }

    /** Returns the CUgraphExecUpdateResult; the executable graph is unchanged unless it is 0. */
    synchronized int update(long executable, long graph) {
        List<Node> before = require(executables, executable);
        List<Node> after = require(graphs, graph);
        if (before.size() != after.size()) {
            return TOPOLOGY_CHANGED;
        }
        for (int i = 0; i < before.size(); i++) {
            if (!before.get(i).kind.equals(after.get(i).kind)) {
                return NODE_TYPE_CHANGED;
            }
        }
        executables.put(executable, List.copyOf(after));
        return 0;
    }

    void launch(long executable, long stream) {
        List<Node> nodes;
        synchronized (this) {
            forbid(stream, "launch");
            nodes = require(executables, executable);
            nodesRun += nodes.size();
        }
        nodes.forEach(node -> node.work.run());
    }

    synchronized void destroyGraph(long graph) {
        require(graphs, graph);
        graphs.remove(graph);
    }

    synchronized void destroyExecutable(long executable) {
        require(executables, executable);
        executables.remove(executable);
    }

    private static List<Node> require(Map<Long, List<Node>> from, long handle) {
        List<Node> nodes = from.get(handle);
        if (nodes == null) {
            throw new CudaException(CudaException.INVALID_VALUE, "graph", "no graph " + handle + " of this kind");
        }
        return nodes;
    }

    /** How much work has been done by launches of graphs. */
    synchronized long nodesRun() {
        return nodesRun;
    }

    /** How many graphs, executable ones and captures have not been given back or ended: graphs, executables, captures. */
    synchronized List<Integer> live() {
        return List.of(graphs.size(), executables.size(), captures.size());
    }
}
