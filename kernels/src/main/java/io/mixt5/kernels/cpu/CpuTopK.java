package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.TopK;
import jdk.incubator.vector.VectorOperators;

/**
 * {@link TopK} on the CPU, rows in parallel. The best so far are a heap in the place of the output, the worst of them on
 * top, so that a vector of a row is compared once and mostly left behind; sorting the heap ends the row.
 */
public final class CpuTopK extends F32Kernel implements TopK.Kernel {
    @Override
    public void forward(Tensor x, TopK.Best best) {
        int columns = Math.toIntExact(x.shape().columns());
        int k = Math.toIntExact(best.columns().shape().columns());
        WorkerPool.forRange(x.shape().rows(), Chunks.rows(columns), (from, to, worker) -> {
            for (long row = from; row < to; row++) {
                long logits = x.rowAddress(row);
                long values = best.logProbabilities().rowAddress(row);
                Heap heap = new Heap(values, best.columns().rowAddress(row), k);
                heap.fill(logits);
                heap.scan(logits, columns);
                heap.sort();
                double lse = Reductions.logSumExp(logits, columns);
                for (int i = 0; i < k; i++) {
                    Memory.setFloat(values + 4L * i, (float) (Memory.getFloat(values + 4L * i) - lse));
                }
            }
        });
    }

    /** Up to {@code size} elements, none worse than those below it: smaller, or as large and in a higher column. */
    private record Heap(long values, long columns, int size) {
        /** Takes the first elements of a row as they come. */
        void fill(long row) {
            for (int i = 0; i < size; i++) {
                float value = Memory.getFloat(row + 4L * i);
                put(i, Float.isNaN(value) ? Float.NEGATIVE_INFINITY : value, i);
            }
            for (int i = size / 2 - 1; i >= 0; i--) {
                sink(value(i), column(i), i, size);
            }
        }

        /** Takes those of a row's further elements that are larger than the worst. */
        void scan(long row, int n) {
            int i = size;
            for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
                long larger = Floats.load(row + 4L * i).compare(VectorOperators.GT, value(0)).toLong();
                for (; larger != 0; larger &= larger - 1) {
                    meet(row, i + Long.numberOfTrailingZeros(larger));
                }
            }
            for (; i < n; i++) {
                meet(row, i);
            }
        }

        private void meet(long row, int column) {
            float value = Memory.getFloat(row + 4L * column);
            if (value > value(0)) {
                sink(value, column, 0, size);
            }
        }

        /** Sorts, the best first. */
        void sort() {
            for (int last = size - 1; last > 0; last--) {
                float value = value(last);
                int column = column(last);
                put(last, value(0), column(0));
                sink(value, column, 0, last);
            }
        }

        /** Puts an element at {@code i}, or, where one of the first {@code n} below it is worse, that one, and so on. */
        private void sink(float value, int column, int i, int n) {
            int at = i;
            for (int child = 2 * at + 1; child < n; child = 2 * at + 1) {
                if (child + 1 < n && worse(value(child + 1), column(child + 1), value(child), column(child))) {
                    child++;
                }
                if (!worse(value(child), column(child), value, column)) {
                    break;
                }
                put(at, value(child), column(child));
                at = child;
            }
            put(at, value, column);
        }

        private static boolean worse(float value, int column, float other, int otherColumn) {
            return value < other || value == other && column > otherColumn;
        }

        private float value(int i) {
            return Memory.getFloat(values + 4L * i);
        }

        private int column(int i) {
            return Memory.getInt(columns + 4L * i);
        }

        private void put(int i, float value, int column) {
            Memory.setFloat(values + 4L * i, value);
            Memory.setInt(columns + 4L * i, column);
        }
    }
}
