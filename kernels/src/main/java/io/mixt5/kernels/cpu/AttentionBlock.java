package io.mixt5.kernels.cpu;

import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Attention;
import java.util.ArrayList;
import java.util.List;

/**
 * Some successive queries of one sequence and one head: what attention works on at a time, and where that lies.
 *
 * @param first the first query, counted within the sequence
 * @param rows how many
 * @param keyStride the layout's, which takes a look at all sequences
 */
record AttentionBlock(Attention.Spec spec, int sequence, int head, int first, int rows, int keyStride) {
    /**
     * Most queries in a block. More would save little of the time in which the matrix product copies the keys; with 512
     * keys the scores take a quarter of a megabyte, and the backward, which has two such matrices, stays in the
     * second-level cache.
     */
    private static final int MOST_ROWS = 128;
    /** All blocks but a sequence's last have a multiple of this many rows, for the matrix product's sake. */
    private static final int ALIGNMENT = 16;

    /** The blocks of one sequence and head in order, all about equally high. */
    static List<AttentionBlock> of(Attention.Spec spec, int sequence, int head) {
        int queries = spec.layout().queryCount()[sequence];
        int blocks = Math.ceilDiv(queries, MOST_ROWS);
        int rows = Math.ceilDiv(Math.ceilDiv(queries, Math.max(1, blocks)), ALIGNMENT) * ALIGNMENT;
        int keyStride = spec.layout().keyStride();
        List<AttentionBlock> list = new ArrayList<>(blocks);
        for (int first = 0; first < queries; first += rows) {
            list.add(new AttentionBlock(spec, sequence, head, first, Math.min(rows, queries - first), keyStride));
        }
        return list;
    }

    /** Row of query {@code i} of the block in q, out and their gradients. */
    int row(int i) {
        return spec.layout().queryStart()[sequence] + first + i;
    }

    /** Row of the sequence's first key in k, v and their gradients. */
    int keyRow() {
        return spec.layout().keyStart()[sequence];
    }

    /** Position of query {@code i}, counted as the keys are. */
    int position(int i) {
        return spec.layout().queryPosition()[sequence] + first + i;
    }

    /** How many keys query {@code i} sees: they are the sequence's first ones. */
    int visible(int i) {
        int keys = spec.layout().keyCount()[sequence];
        return spec.causal() ? Math.min(keys, position(i) + 1) : keys;
    }

    /** How many keys the block's queries see: as many as its last one. */
    int keys() {
        return visible(rows - 1);
    }

    /**
     * Floats from one row of scores to the next: room to read and write a whole vector wherever a row ends, and an odd
     * number of vectors, since rows a power of two apart would compete for the same few sets of the cache.
     */
    int stride() {
        return (Math.ceilDiv(keys(), Lanes.FLOATS) + 1 | 1) * Lanes.FLOATS;
    }

    /** Bytes of a row of scores. */
    long rowBytes() {
        return (long) Float.BYTES * stride();
    }

    /** Address of query {@code i}'s log-sum-exp in {@code lse}. */
    long lse(Tensor lse, int i) {
        return lse.address() + Float.BYTES * index(i);
    }

    private long index(int i) {
        return (long) row(i) * spec.heads() + head;
    }

    /** Address of the head's elements of row {@code row} in q, k, v, out or a gradient of one of them. */
    long at(Tensor tensor, int row) {
        long columns = tensor.shape().columns();
        return tensor.address() + Float.BYTES * (row * columns + head * (columns / spec.heads()));
    }

    /** Bytes that {@link #factors} may write. */
    long factorBytes() {
        return rowBytes() + (long) Float.BYTES * VectorPhilox.GROUP;
    }

    /** Writes dropout's factors for query {@code i}'s weights; ones without dropout. */
    void factors(int i, long row) {
        if (spec.dropout().active()) {
            VectorPhilox.factors(spec.dropout(), index(i) * keyStride, visible(i), row);
        } else {
            AttentionRows.fill(row, 0, visible(i), 1);
        }
    }
}
