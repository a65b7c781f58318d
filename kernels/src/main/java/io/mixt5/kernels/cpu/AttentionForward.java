package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Attention.Spec;
import java.util.ArrayList;
import java.util.List;

/** One call of {@link CpuAttention#forward}: a task is an {@link AttentionBlock}. */
final class AttentionForward {
    /** Blocks of up to this many queries are mixed row by row: a matrix product would spend more time on packing the values. */
    private static final int FEW = 4;

    private static final int SCORES = Scratch.newSlot();
    private static final int FACTORS = Scratch.newSlot();

    private final Gemm gemm = Gemms.gemm();
    private final Tensor q;
    private final Tensor k;
    private final Tensor v;
    private final Tensor out;
    private final Tensor lse;
    private final RelativeBias bias;
    private final List<AttentionBlock> blocks = new ArrayList<>();
    /** Elements of a row. */
    private final int width;
    /** Elements of a head. */
    private final int size;

    AttentionForward(Tensor q, Tensor k, Tensor v, Tensor table, Spec spec, Tensor out, Tensor lse) {
        this.q = q;
        this.k = k;
        this.v = v;
        this.out = out;
        this.lse = lse;
        width = (int) q.shape().columns();
        size = width / spec.heads();
        bias = RelativeBias.of(table, spec);
        for (int sequence = 0; sequence < spec.layout().sequences(); sequence++) {
            for (int head = 0; head < spec.heads(); head++) {
                blocks.addAll(AttentionBlock.of(spec, sequence, head));
            }
        }
    }

    void run() {
        WorkerPool.forEach(blocks.size(), (task, worker) -> attend(blocks.get(task)));
    }

    private void attend(AttentionBlock block) {
        if (block.keys() == 0) {
            seeNothing(block);
            return;
        }
        long scores = Scratch.get(SCORES, block.rowBytes() * block.rows());
        score(block, scores);
        weigh(block, scores);
        mix(block, scores);
    }

    /** Zeros, and the logarithm of an empty sum. */
    private void seeNothing(AttentionBlock block) {
        for (int i = 0; i < block.rows(); i++) {
            Memory.fill(block.at(out, block.row(i)), (long) Float.BYTES * size, (byte) 0);
            Memory.setFloat(block.lse(lse, i), Float.NEGATIVE_INFINITY);
        }
    }

    /** scores = q k^T. */
    private void score(AttentionBlock block, long scores) {
        gemm.sgemm(false, true, block.rows(), block.keys(), size, 1, block.at(q, block.row(0)), width,
                block.at(k, block.keyRow()), width, 0, scores, block.stride());
    }

    /** Turns scores into weights after dropout, and notes their log-sum-exp. */
    private void weigh(AttentionBlock block, long scores) {
        long factors = Scratch.get(FACTORS, block.factorBytes());
        for (int i = 0; i < block.rows(); i++) {
            long row = scores + block.rowBytes() * i;
            int visible = block.visible(i);
            float largest = AttentionRows.addBias(row, bias.line(block.head(), block.position(i)), visible);
            float sum = AttentionRows.exponentials(row, visible, largest);
            block.factors(i, factors);
            AttentionRows.scale(row, factors, visible, 1 / sum);
            AttentionRows.fill(row, visible, block.keys(), 0);
            Memory.setFloat(block.lse(lse, i), largest + (float) Math.log(sum));
        }
    }

    /** out = weights v. */
    private void mix(AttentionBlock block, long weights) {
        long values = block.at(v, block.keyRow());
        if (block.rows() > FEW) {
            gemm.sgemm(false, false, block.rows(), size, block.keys(), 1, weights, block.stride(), values, width, 0,
                    block.at(out, block.row(0)), width);
        } else {
            for (int i = 0; i < block.rows(); i++) {
                AttentionRows.mix(weights + block.rowBytes() * i, values, size, width, block.visible(i),
                        block.at(out, block.row(i)));
            }
        }
    }
}
