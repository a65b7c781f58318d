package io.mixt5.kernels.cpu;

import io.mixt5.engine.DType;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Attention;
import io.mixt5.engine.op.Attention.Spec;
import java.util.BitSet;

/**
 * {@link Attention} in blocks of queries, each on one thread: a block's scores against all keys stay in the thread's
 * second-level cache between the matrix product that makes them and the one that uses them up.
 *
 * <p>Results do not depend on the number of threads. In the backward no two sequences may share keys.
 */
public final class CpuAttention implements Attention.Kernel {
    @Override
    public String unsupported(DType dtype) {
        return dtype == DType.F32 ? null : "the CPU computes attention in F32; cast first";
    }

    @Override
    public void forward(Tensor q, Tensor k, Tensor v, Tensor table, Spec spec, Tensor out, Tensor lse) {
        new AttentionForward(q, k, v, table, spec, out, lse).run();
    }

    @Override
    public void backward(Tensor q, Tensor k, Tensor v, Tensor table, Spec spec, Tensor out, Tensor lse, Tensor dout,
            Target dq, Target dk, Target dv, Target dtable) {
        zeroUnused(dq, spec.layout().queryStart(), spec.layout().queryCount());
        zeroUnused(dk, spec.layout().keyStart(), spec.layout().keyCount());
        zeroUnused(dv, spec.layout().keyStart(), spec.layout().keyCount());
        new AttentionBackward(q, k, v, table, spec, out, lse, dout, dq, dk, dv, dtable).run();
    }

    /** Zeros the rows that belong to no sequence, unless the target accumulates. */
    private static void zeroUnused(Target target, int[] starts, int[] counts) {
        if (target == null || target.accumulate()) {
            return;
        }
        Tensor tensor = target.tensor();
        BitSet used = new BitSet();
        for (int b = 0; b < starts.length; b++) {
            used.set(starts[b], starts[b] + counts[b]);
        }
        int rows = (int) tensor.shape().rows();
        for (int from = used.nextClearBit(0); from < rows; from = used.nextClearBit(from)) {
            int next = used.nextSetBit(from);
            int to = next < 0 ? rows : next;
            Memory.fill(tensor.rowAddress(from), tensor.rowAddress(to) - tensor.rowAddress(from), (byte) 0);
            from = to;
        }
    }
}
