package io.mixt5.kernels.cpu;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Attention.Spec;
import io.mixt5.engine.op.SequenceLayout;
import java.util.List;

/**
 * One call of {@link CpuAttention#backward}: a task is one head of one sequence, so that the gradients of its keys
 * belong to one thread.
 *
 * <p>With P the weights before dropout, F its factors, W = P o F the weights after it and D the row sums of dout o out:
 * dV = W^T dout, dW = dout V^T, dS = P o (F o dW - D), dQ = dS K, dK = dS^T Q (Dao et al., FlashAttention, 2022,
 * appendix B.2).
 */
final class AttentionBackward {
    private static final int WEIGHTS = Scratch.newSlot();
    private static final int DSCORES = Scratch.newSlot();
    private static final int FACTORS = Scratch.newSlot();
    private static final int DBIAS = Scratch.newSlot();
    private static final int BUCKET_SUMS = Scratch.newSlot();

    private final Gemm gemm = Gemms.gemm();
    private final Tensor q;
    private final Tensor k;
    private final Tensor v;
    private final Spec spec;
    private final Tensor out;
    private final Tensor lse;
    private final Tensor dout;
    private final Target dq;
    private final Target dk;
    private final Target dv;
    private final Target dtable;
    private final RelativeBias bias;
    /** Sums of the bias' gradient by task and bucket, as doubles; unused without a target. */
    private final long bucketSums;
    /** Elements of a row. */
    private final int width;
    /** Elements of a head. */
    private final int size;

    AttentionBackward(Tensor q, Tensor k, Tensor v, Tensor table, Spec spec, Tensor out, Tensor lse, Tensor dout,
            Target dq, Target dk, Target dv, Target dtable) {
        this.q = q;
        this.k = k;
        this.v = v;
        this.spec = spec;
        this.out = out;
        this.lse = lse;
        this.dout = dout;
        this.dq = dq;
        this.dk = dk;
        this.dv = dv;
        this.dtable = dtable;
        width = (int) q.shape().columns();
        size = width / spec.heads();
        bias = RelativeBias.of(table, spec);
        bucketSums = dtable == null ? 0 : Scratch.get(BUCKET_SUMS, bucketBytes() * tasks());
    }

    private int tasks() {
        return spec.layout().sequences() * spec.heads();
    }

    private long bucketBytes() {
        return Double.BYTES * dtable.tensor().shape().dim(0);
    }

    void run() {
        WorkerPool.forEach(tasks(), (task, worker) -> differentiate(task));
        if (dtable != null) {
            sumSequences();
        }
    }

    private void differentiate(int task) {
        int sequence = task / spec.heads();
        List<AttentionBlock> blocks = AttentionBlock.of(spec, sequence, task % spec.heads());
        zeroUnseen(sequence, task % spec.heads(), blocks.isEmpty() ? 0 : blocks.getLast().keys());
        long dbias = 0;
        if (dtable != null) {
            dbias = Scratch.get(DBIAS, bias.lineBytes());
            Memory.fill(dbias, bias.lineBytes(), (byte) 0);
        }
        // Backwards: the last block sees the most keys, so it is the one to overwrite gradients that do not accumulate.
        boolean begun = false;
        for (AttentionBlock block : blocks.reversed()) {
            differentiate(block, begun, dbias);
            begun = true;
        }
        if (dtable != null) {
            bias.sumByBucket(dbias, bucketSums + bucketBytes() * task);
        }
    }

    /** @param begun whether the gradients of the keys hold those of other blocks already */
    private void differentiate(AttentionBlock block, boolean begun, long dbias) {
        int rows = block.rows();
        int keys = block.keys();
        int stride = block.stride();
        if (keys == 0) {
            zero(dq, block.row(0), rows, block.head());
            return;
        }
        long weights = Scratch.get(WEIGHTS, block.rowBytes() * rows);
        long dscores = Scratch.get(DSCORES, block.rowBytes() * rows);
        long queries = block.at(q, block.row(0));
        long keysAt = block.at(k, block.keyRow());
        long values = block.at(v, block.keyRow());
        long douts = block.at(dout, block.row(0));
        gemm.sgemm(false, true, rows, keys, size, 1, queries, width, keysAt, width, 0, weights, stride);
        gemm.sgemm(false, true, rows, keys, size, 1, douts, width, values, width, 0, dscores, stride);
        weigh(block, weights, dscores, dbias);
        if (dv != null) {
            gemm.sgemm(true, false, keys, size, rows, 1, weights, stride, douts, width,
                    begun || dv.accumulate() ? 1 : 0, block.at(dv.tensor(), block.keyRow()), width);
        }
        if (dk != null) {
            gemm.sgemm(true, false, keys, size, rows, 1, dscores, stride, queries, width,
                    begun || dk.accumulate() ? 1 : 0, block.at(dk.tensor(), block.keyRow()), width);
        }
        if (dq != null) {
            gemm.sgemm(false, false, rows, size, keys, 1, dscores, stride, keysAt, width, dq.accumulate() ? 1 : 0,
                    block.at(dq.tensor(), block.row(0)), width);
        }
    }

    /** Turns scores into weights after dropout, and the gradient of those into that of the scores. */
    private void weigh(AttentionBlock block, long scores, long dweights, long dbias) {
        long factors = Scratch.get(FACTORS, block.factorBytes());
        for (int i = 0; i < block.rows(); i++) {
            long row = scores + block.rowBytes() * i;
            long drow = dweights + block.rowBytes() * i;
            int visible = block.visible(i);
            float mean = AttentionRows.dot(block.at(out, block.row(i)), block.at(dout, block.row(i)), size);
            block.factors(i, factors);
            AttentionRows.differentiate(row, drow, bias.line(block.head(), block.position(i)), factors, visible,
                    Memory.getFloat(block.lse(lse, i)), mean);
            AttentionRows.fill(row, visible, block.keys(), 0);
            // At least a whole vector, since the sum along the diagonals below adds whole vectors.
            AttentionRows.fill(drow, visible, block.keys() + 1, 0);
            if (dtable != null) {
                AttentionRows.add(drow, bias.place(dbias, block.position(i)), visible);
            }
        }
    }

    /** Keys that no query sees have no gradient: zeros are due, where gradients do not accumulate. */
    private void zeroUnseen(int sequence, int head, int seen) {
        SequenceLayout layout = spec.layout();
        int from = layout.keyStart()[sequence] + seen;
        int rows = layout.keyCount()[sequence] - seen;
        zero(dk, from, rows, head);
        zero(dv, from, rows, head);
    }

    private void zero(Target target, int from, int rows, int head) {
        if (target == null || target.accumulate()) {
            return;
        }
        for (int row = from; row < from + rows; row++) {
            Memory.fill(target.tensor().rowAddress(row) + (long) Float.BYTES * size * head, (long) Float.BYTES * size,
                    (byte) 0);
        }
    }

    /** The table's gradient: sums over the sequences, always in their order. */
    private void sumSequences() {
        Tensor gradient = dtable.tensor();
        int heads = spec.heads();
        for (int bucket = 0; bucket < gradient.shape().dim(0); bucket++) {
            for (int head = 0; head < heads; head++) {
                long address = gradient.address() + (long) Float.BYTES * (bucket * heads + head);
                double sum = dtable.accumulate() ? Memory.getFloat(address) : 0;
                for (int task = head; task < tasks(); task += heads) {
                    sum += Memory.getDouble(bucketSums + bucketBytes() * task + (long) Double.BYTES * bucket);
                }
                Memory.setFloat(address, (float) sum);
            }
        }
    }
}
