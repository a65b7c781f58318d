package io.mixt5.ffm.cuda;

/**
 * The driver's graphs: what is put into a stream between {@link #beginCapture} and {@link #endCapture} is not done but
 * becomes a graph, of which an executable one is made that {@link #launch} starts as a whole. That costs the host one
 * call instead of hundreds, and the device no gaps between kernels.
 *
 * <p>Kernels' parameters are copied when they are captured; host memory that is to be copied is read when the graph
 * runs. A stream that is being captured cannot be waited for: the attempt fails and spoils the capture.
 */
public interface CudaGraphs {
    /**
     * Begins to capture a stream, not the default one. The mode is CU_STREAM_CAPTURE_MODE_RELAXED: any thread may put
     * work into the stream and end the capture, and memory may be allocated meanwhile.
     */
    void beginCapture(long stream);

    /** Ends the capture and returns the graph; the stream is as before even if this throws. */
    long endCapture(long stream);

    /** Makes an executable graph of a graph, which is not needed for it any longer. */
    long instantiate(long graph);

    /**
     * Gives an executable graph the parameters of another graph of the same nodes in the same order. Launches that are
     * under way keep theirs.
     *
     * @throws CudaException with {@link CudaException#GRAPH_EXEC_UPDATE_FAILURE} when the graphs differ in more than
     * that; the executable one is good for {@link #destroyExecutable} only then
     */
    void update(long executable, long graph);

    /** Starts an executable graph, in the stream's order. */
    void launch(long executable, long stream);

    /** Gives a graph back. */
    void destroyGraph(long graph);

    /** Gives an executable graph back, once it is done. */
    void destroyExecutable(long executable);
}
