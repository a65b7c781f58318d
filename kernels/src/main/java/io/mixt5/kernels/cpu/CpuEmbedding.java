package io.mixt5.kernels.cpu;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Embedding;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * {@link Embedding} on the CPU. The backward sorts the rows by their id, so that rows with one id meet on one thread,
 * which adds them in order. Only where they are very many, as padding's, threads share them by columns.
 */
public final class CpuEmbedding extends F32Kernel implements Embedding.Kernel {
    /** Rows of a task of the backward. */
    private static final int ROWS = 64;
    /** So many rows of one id are cut into pieces of columns. */
    private static final int MANY = 4 * ROWS;
    /** Columns of a piece: a few cache lines. */
    private static final int PIECE = 128;
    private static final int SORTED = Scratch.newSlot();
    private static final int ENDS = Scratch.newSlot();

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
        int rows = Math.toIntExact(ids.count());
        int width = Math.toIntExact(dy.shape().columns());
        long table = dtable.tensor().address();
        long sorted = sort(ids, rows, Math.toIntExact(dtable.tensor().shape().dim(0)));
        WorkerPool.forRange(rows, ROWS, (from, to, worker) -> {
            for (int first = firstOfRun(ids, sorted, (int) from, (int) to); first < to;) {
                int end = endOfRun(ids, sorted, first, rows);
                if (end - first < MANY) {
                    addRun(ids, sorted, first, end, dy.address(), table, width, 0, width);
                }
                first = end;
            }
        });
        for (int first = 0; first < rows;) {
            int end = endOfRun(ids, sorted, first, rows);
            if (end - first >= MANY) {
                int from = first;
                WorkerPool.forRange(width, PIECE, (left, right, worker) -> addRun(ids, sorted, from, end,
                        dy.address(), table, width, (int) left, (int) (right - left)));
            }
            first = end;
        }
    }

    /** The rows' numbers, int [rows], in the order of their ids, those of one id as they were. */
    private static long sort(Tensor ids, int rows, int vocabulary) {
        long sorted = Scratch.get(SORTED, 4L * rows);
        long ends = Scratch.get(ENDS, 4L * vocabulary);
        Memory.fill(ends, 4L * vocabulary, (byte) 0);
        for (int row = 0; row < rows; row++) {
            long end = ends + 4 * id(ids, row);
            Memory.setInt(end, Memory.getInt(end) + 1);
        }
        int sum = 0;
        for (int id = 0; id < vocabulary; id++) {
            int count = Memory.getInt(ends + 4L * id);
            Memory.setInt(ends + 4L * id, sum);
            sum += count;
        }
        for (int row = 0; row < rows; row++) {
            long end = ends + 4 * id(ids, row);
            int place = Memory.getInt(end);
            Memory.setInt(end, place + 1);
            Memory.setInt(sorted + 4L * place, row);
        }
        return sorted;
    }

    /** The first place, from one up to another, whose id is not the one before's. */
    private static int firstOfRun(Tensor ids, long sorted, int from, int to) {
        int place = from;
        while (place > 0 && place < to && id(ids, row(sorted, place - 1)) == id(ids, row(sorted, place))) {
            place++;
        }
        return place;
    }

    /** The place behind the last one with the same id. */
    private static int endOfRun(Tensor ids, long sorted, int place, int rows) {
        long id = id(ids, row(sorted, place));
        int end = place + 1;
        while (end < rows && id(ids, row(sorted, end)) == id) {
            end++;
        }
        return end;
    }

    /** Adds {@code n} columns, from {@code column} on, of the rows in some places, which have one id. */
    private static void addRun(Tensor ids, long sorted, int first, int end, long dy, long table, long width, int column,
            int n) {
        long sum = table + 4 * (id(ids, row(sorted, first)) * width + column);
        for (int place = first; place < end; place++) {
            add(dy + 4 * (row(sorted, place) * width + column), sum, n);
        }
    }

    private static long row(long sorted, int place) {
        return Memory.getInt(sorted + 4L * place);
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
