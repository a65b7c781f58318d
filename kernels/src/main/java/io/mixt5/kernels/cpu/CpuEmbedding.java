package io.mixt5.kernels.cpu;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Embedding;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * {@link Embedding} on the CPU. The backward cuts the rows across: whoever owns some columns adds all rows there, in
 * order, so that rows with one id never meet on two threads.
 */
public final class CpuEmbedding extends F32Kernel implements Embedding.Kernel {
    /** Columns of a piece of the backward: a few cache lines. */
    private static final int PIECE = 64;

    @Override
    public void forward(Tensor table, Tensor ids, Tensor y) {
        long width = table.shape().dim(1);
        long bytes = 4 * width;
        WorkerPool.forRange(ids.count(), Chunks.rows(width), (from, to, worker) -> {
            for (long row = from; row < to; row++) {
                Memory.copy(table.address() + id(ids, row) * bytes, y.address() + row * bytes, bytes);
            }
        });
    }

    @Override
    public void backward(Tensor ids, Tensor dy, Target dtable) {
        long width = dy.shape().columns();
        WorkerPool.forRange(width, PIECE, (from, to, worker) -> {
            for (long row = 0; row < ids.count(); row++) {
                add(dy.address() + 4 * (row * width + from),
                        dtable.tensor().address() + 4 * (id(ids, row) * width + from), (int) (to - from));
            }
        });
    }

    private static long id(Tensor ids, long row) {
        return Memory.getInt(ids.address() + 4 * row);
    }

    /** sum += x. */
    private static void add(long x, long sum, int n) {
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            Floats.put(sum + 4L * i, Floats.load(x + 4L * i), true);
        }
        if (i < n) {
            VectorMask<Float> rest = Floats.first(n - i);
            FloatVector value = Floats.load(x + 4L * i, rest).add(Floats.load(sum + 4L * i, rest));
            Floats.store(sum + 4L * i, value, rest);
        }
    }
}
