package io.mixt5.bench;

import io.mixt5.engine.TimedCase.Cost;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * What one call of a benchmark does, as secondary results beside its time: from both follow GB/s, GFLOP/s, tokens a
 * second and the share of the machine's limits. The numbers are the same in every call.
 */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.EVENTS)
public class Work {
    /** The least bytes to be moved; 0 where arithmetic is all that counts. */
    public long bytes;
    /** Floating-point operations of its matrix products; 0 where there are none. */
    public long flops;
    /** Tokens that are trained on, routed or generated; 0 where the benchmark has no such thing. */
    public long tokens;

    /** The cost of an op's pass. */
    public void is(Cost cost) {
        bytes = cost.bytes();
        flops = cost.flops();
    }
}
