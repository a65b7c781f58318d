package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import io.mixt5.engine.op.Adafactor;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * One Adafactor update of one matrix. It reads the gradient three times: for the second moments; for the size of the
 * update; and for the update itself. All sums have a fixed order.
 */
final class AdafactorMatrix {
    private static final int COLUMN_SUMS = Scratch.newSlot();
    private static final int ROW_FACTORS = Scratch.newSlot();
    private static final int COLUMN_FACTORS = Scratch.newSlot();

    private final Adafactor.Slot slot;
    private final Adafactor.Settings settings;
    private final double clip;
    private final double beta;
    private final long rows;
    private final int columns;
    private final long weight;
    private final long gradient;
    /** Of each row: its sum of squares, then what the row's gradients are multiplied by. */
    private final long rowFactors;
    /** Likewise for columns. */
    private final long columnFactors;

    AdafactorMatrix(CpuAdafactor.Update update) {
        this.slot = update.slot();
        this.settings = update.settings();
        this.clip = update.clip();
        this.beta = update.beta();
        this.rows = slot.weight().shape().rows();
        this.columns = Math.toIntExact(slot.weight().shape().columns());
        this.weight = slot.weight().address();
        this.gradient = slot.gradient().address();
        this.rowFactors = Scratch.get(ROW_FACTORS, 4 * rows);
        this.columnFactors = Scratch.get(COLUMN_FACTORS, 4L * columns);
    }

    void update() {
        double weights = sumSquares();
        updateMoments(slot.rows().address(), rowFactors, rows, columns);
        updateMoments(slot.columns().address(), columnFactors, columns, rows);
        invertRows();
        invert(slot.columns().address(), columnFactors, columns, 1);
        double count = (double) rows * columns;
        apply(CpuAdafactor.Size.of(settings, slot.decay(), weights / count, sumSquaredUpdates() / count));
    }

    /** Sums the gradient's squares in rows and columns; returns the sum of the weights' squares where it is wanted. */
    private double sumSquares() {
        Stripes stripes = new Stripes(COLUMN_SUMS, rows, columns);
        double[] weights = new double[stripes.count()];
        stripes.forEach((stripe, from, to, sum) -> {
            for (long row = from; row < to; row++) {
                long g = gradient + 4 * row * columns;
                Memory.setFloat(rowFactors + 4 * row, (float) Reductions.sumOfSquares(g, columns));
                addSquares(g, sum, columns);
            }
            if (settings.scaleParameter()) {
                weights[stripe] = Reductions.sumOfSquares(weight + 4 * from * columns, (to - from) * columns);
            }
        });
        stripes.addUp(columnFactors, false);
        return sum(weights);
    }

    /** sum += x^2. */
    private static void addSquares(long x, long sum, int n) {
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            FloatVector value = Floats.load(x + 4L * i);
            Floats.store(sum + 4L * i, value.fma(value, Floats.load(sum + 4L * i)));
        }
        if (i < n) {
            VectorMask<Float> rest = Floats.first(n - i);
            FloatVector value = Floats.load(x + 4L * i, rest);
            Floats.store(sum + 4L * i, value.fma(value, Floats.load(sum + 4L * i, rest)), rest);
        }
    }

    /** moment = beta moment + (1 - beta) (sum / length + eps1), for n rows or columns of that length. */
    private void updateMoments(long moment, long sums, long n, long length) {
        for (long i = 0; i < n; i++) {
            double mean = clip * clip * Memory.getFloat(sums + 4 * i) / length + Adafactor.EPS1;
            Memory.setFloat(moment + 4 * i, (float) (beta * Memory.getFloat(moment + 4 * i) + (1 - beta) * mean));
        }
    }

    /** factor = scale / sqrt(moment). */
    private static void invert(long moment, long factors, long n, double scale) {
        for (long i = 0; i < n; i++) {
            Memory.setFloat(factors + 4 * i, (float) (scale / Math.sqrt(Memory.getFloat(moment + 4 * i))));
        }
    }

    private void invertRows() {
        long moment = slot.rows().address();
        double sum = 0;
        for (long i = 0; i < rows; i++) {
            sum += Memory.getFloat(moment + 4 * i);
        }
        invert(moment, rowFactors, rows, clip * Math.sqrt(sum / rows));
    }

    private double sumSquaredUpdates() {
        long height = Chunks.rows(columns);
        double[] sums = new double[Math.toIntExact((rows + height - 1) / height)];
        WorkerPool.forRange(rows, height, (from, to, worker) -> {
            double sum = 0;
            for (long row = from; row < to; row++) {
                double factor = Memory.getFloat(rowFactors + 4 * row);
                sum += factor * factor
                        * Reductions.sumOfSquaredProducts(gradient + 4 * row * columns, columnFactors, columns);
            }
            sums[(int) (from / height)] = sum;
        });
        return sum(sums);
    }

    private void apply(CpuAdafactor.Size size) {
        WorkerPool.forRange(rows, Chunks.rows(columns), (from, to, worker) -> {
            for (long row = from; row < to; row++) {
                float step = (float) (-size.step() * Memory.getFloat(rowFactors + 4 * row));
                step(gradient + 4 * row * columns, columnFactors, step, (float) size.keep(),
                        weight + 4 * row * columns, columns);
            }
        });
    }

    /** w = keep w + step factor g. */
    private static void step(long gradient, long factors, float step, float keep, long weight, int n) {
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            FloatVector update = Floats.load(gradient + 4L * i).mul(Floats.load(factors + 4L * i)).mul(step);
            Floats.store(weight + 4L * i, Floats.load(weight + 4L * i).fma(Floats.all(keep), update));
        }
        if (i < n) {
            VectorMask<Float> rest = Floats.first(n - i);
            FloatVector update = Floats.load(gradient + 4L * i, rest).mul(Floats.load(factors + 4L * i, rest))
                    .mul(step);
            Floats.store(weight + 4L * i, Floats.load(weight + 4L * i, rest).fma(Floats.all(keep), update), rest);
        }
    }

    private static double sum(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum;
    }
}
