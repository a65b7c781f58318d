package io.mixt5.kernels.cuda;

import io.mixt5.engine.UserException;
import io.mixt5.ffm.cuda.CudaDriver;
import io.mixt5.ffm.cuda.CudaException;
import io.mixt5.ffm.cuda.CudaGraphs;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The executable graphs of a stream, found again by what they consist of, so that a captured graph need only give one its
 * parameters. To make one takes about as long as to start its kernels one by one; to update and launch one, a fraction.
 * System property {@code mixt5.cuda.graphs} as {@code off} does without graphs.
 *
 * <p>They pay where kernels are shorter than their launches and the host has to wait for each round of them, as when a
 * token is generated. Training does without: a step reads nothing back before all of it has been started, so that the
 * host runs ahead of the device, whose kernels are longer, and launches cost no time of their own.
 */
final class ExecutableGraphs {
    private static final String PROPERTY = "mixt5.cuda.graphs";
    /** Beams that move or stay, tables that are known or not, sources that end: some make other graphs than others. */
    private static final int MOST = 16;

    private final CudaGraphs graphs;
    /** By kind, the one used last at the end. */
    private final Map<Long, Long> executables = new LinkedHashMap<>(MOST, 1, true);

    private ExecutableGraphs(CudaGraphs graphs) {
        this.graphs = graphs;
    }

    /**
     * Those of {@code driver}; null where it has none, or none are wanted.
     *
     * @throws UserException when the property has another value than on or off
     */
    static ExecutableGraphs of(CudaDriver driver) {
        String wish = System.getProperty(PROPERTY, "on");
        if (!wish.equals("on") && !wish.equals("off")) {
            throw new UserException("System property " + PROPERTY + " is '" + wish + "': use on or off.");
        }
        CudaGraphs graphs = wish.equals("on") ? driver.graphs() : null;
        return graphs == null ? null : new ExecutableGraphs(graphs);
    }

    void beginCapture(long stream) {
        graphs.beginCapture(stream);
    }

    /** Ends the capture and forgets what it has captured. */
    void discard(long stream) {
        graphs.destroyGraph(graphs.endCapture(stream));
    }

    /**
     * Ends the capture and starts the graph.
     *
     * @param kind a hash of the graph's nodes without their parameters; equal ones mostly update each other
     * @throws CudaException when none of it has been started
     */
    void launch(long stream, long kind) {
        long graph = graphs.endCapture(stream);
        long executable;
        try {
            Long known = executables.get(kind);
            executable = known != null && updated(known, graph, kind) ? known : add(graph, kind);
        } finally {
            graphs.destroyGraph(graph);
        }
        graphs.launch(executable, stream);
    }

    private boolean updated(long executable, long graph, long kind) {
        try {
            graphs.update(executable, graph);
            return true;
        } catch (CudaException e) {
            if (e.deviceLost()) {
                throw e;
            }
            // Which changes a node takes is the driver's business.
            executables.remove(kind);
            graphs.destroyExecutable(executable);
            return false;
        }
    }

    private long add(long graph, long kind) {
        if (executables.size() == MOST) {
            Iterator<Long> oldest = executables.values().iterator();
            graphs.destroyExecutable(oldest.next());
            oldest.remove();
        }
        long executable = graphs.instantiate(graph);
        executables.put(kind, executable);
        return executable;
    }

    /** Gives all back, as far as the driver takes them, and warns of what made this necessary. */
    void giveUp(RuntimeException because) {
        System.getLogger(ExecutableGraphs.class.getName()).log(System.Logger.Level.WARNING,
                "CUDA graphs are not used from now on, kernels are started one by one: " + because.getMessage()
                        + "; system property " + PROPERTY + "=off does without them from the start");
        for (long executable : executables.values()) {
            try {
                graphs.destroyExecutable(executable);
            } catch (CudaException e) {
                because.addSuppressed(e);
            }
        }
        executables.clear();
    }
}
