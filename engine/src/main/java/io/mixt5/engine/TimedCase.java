package io.mixt5.engine;

/**
 * A case at the size of a model, for benchmarks, and the least that it costs: what a machine's limits are held against.
 *
 * @param work how to call the op; its name begins with the op's and is unique among all
 * @param forward what the call costs
 * @param backward what its gradients cost; null where the op has none, or hands its output's on as they are
 */
public record TimedCase(OpCase work, Cost forward, Cost backward) {
    /**
     * The least work of one pass over F32 tensors.
     *
     * @param bytes to be moved: each input read once, each output written once
     * @param flops to be computed, where they can be what limits the op: those of matrix products, 0 elsewhere
     */
    public record Cost(long bytes, long flops) {
    }

    /** A case that memory limits, each pass by its bytes; 0 of them means no backward. */
    public static TimedCase streaming(OpCase work, long forwardBytes, long backwardBytes) {
        return new TimedCase(work, new Cost(forwardBytes, 0), backwardBytes == 0 ? null : new Cost(backwardBytes, 0));
    }
}
