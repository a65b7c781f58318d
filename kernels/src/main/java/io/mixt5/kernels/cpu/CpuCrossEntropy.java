package io.mixt5.kernels.cpu;

import static io.mixt5.kernels.cpu.Lanes.ADDRESS;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.CrossEntropy;
import jdk.incubator.vector.FloatVector;

/** {@link CrossEntropy} on the CPU: rows in parallel, each read once; the rows' losses are added in order. */
public final class CpuCrossEntropy extends F32Kernel implements CrossEntropy.Kernel {
    private static final int LOSSES = Scratch.newSlot();

    @Override
    public void forward(Tensor logits, Tensor labels, Tensor loss, Tensor stats) {
        long rows = labels.count();
        int classes = Math.toIntExact(logits.shape().columns());
        long losses = Scratch.get(LOSSES, Double.BYTES * rows);
        WorkerPool.forRange(rows, Chunks.rows(classes), (from, to, worker) -> {
            for (long row = from; row < to; row++) {
                long address = logits.rowAddress(row);
                double lse = Reductions.logSumExp(address, classes);
                Memory.setFloat(stats.address() + 4 * row, (float) lse);
                int label = label(labels, row);
                Memory.setDouble(losses + 8 * row,
                        label == CrossEntropy.IGNORE ? 0 : lse - Memory.getFloat(address + 4L * label));
            }
        });
        double sum = 0;
        long count = 0;
        for (long row = 0; row < rows; row++) {
            sum += Memory.getDouble(losses + 8 * row);
            count += label(labels, row) == CrossEntropy.IGNORE ? 0 : 1;
        }
        Memory.setFloat(stats.address() + 4 * rows, count);
        Memory.setFloat(loss.address(), (float) (sum / Math.max(1, count)));
    }

    @Override
    public void backward(Tensor logits, Tensor labels, Tensor stats, Tensor dloss, Target dlogits) {
        long rows = labels.count();
        int classes = Math.toIntExact(logits.shape().columns());
        float count = Memory.getFloat(stats.address() + 4 * rows);
        float scale = Memory.getFloat(dloss.address()) / Math.max(1, count);
        WorkerPool.forRange(rows, Chunks.rows(classes), (from, to, worker) -> {
            for (long row = from; row < to; row++) {
                long target = dlogits.tensor().rowAddress(row);
                int label = label(labels, row);
                if (label != CrossEntropy.IGNORE) {
                    float lse = Memory.getFloat(stats.address() + 4 * row);
                    Elementwise.run(new long[]{logits.rowAddress(row)}, new long[]{target}, classes,
                            (in, out, n) -> softmax(in[0], lse, scale, out[0], n, dlogits.accumulate()));
                    Memory.setFloat(target + 4L * label, Memory.getFloat(target + 4L * label) - scale);
                } else if (!dlogits.accumulate()) {
                    Memory.fill(target, 4L * classes, (byte) 0);
                }
            }
        });
    }

    private static int label(Tensor labels, long row) {
        return Memory.getInt(labels.address() + 4 * row);
    }

    /** scale exp(x - lse). */
    private static void softmax(long x, float lse, float scale, long y, int n, boolean accumulate) {
        FloatVector shift = Floats.all(lse);
        FloatVector factor = Floats.all(scale);
        int step = Lanes.FLOATS * Lanes.one;
        for (int i = 0; i < n; i += step) {
            FloatVector share = VectorMath.expWithoutOverflow(Floats.load(x + 4L * i & ADDRESS).sub(shift));
            Floats.put(y + 4L * i & ADDRESS, share.mul(factor), accumulate);
        }
    }
}
