package io.mixt5.kernels.cpu;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.RmsNorm;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/** {@link RmsNorm} on the CPU. */
public final class CpuRmsNorm extends F32Kernel implements RmsNorm.Kernel {
    private static final int SUMS = Scratch.newSlot();

    @Override
    public void forward(Tensor x, Tensor weight, float eps, Tensor y, Tensor inverse) {
        int columns = Math.toIntExact(weight.count());
        long weightAddress = weight.address();
        WorkerPool.forRange(inverse.count(), Chunks.rows(columns), (from, to, worker) -> {
            for (long row = from; row < to; row++) {
                long xRow = x.rowAddress(row);
                float scale = (float) (1 / Math.sqrt(Reductions.sumOfSquares(xRow, columns) / columns + eps));
                Memory.setFloat(inverse.address() + 4 * row, scale);
                scaleRow(xRow, weightAddress, scale, y.rowAddress(row), columns);
            }
        });
    }

    @Override
    public void backward(Tensor x, Tensor weight, Tensor inverse, Tensor dy, Target dx, Target dweight) {
        int columns = Math.toIntExact(weight.count());
        long weightAddress = weight.address();
        Stripes stripes = new Stripes(SUMS, inverse.count(), columns);
        stripes.forEach((stripe, from, to, sum) -> {
            for (long row = from; row < to; row++) {
                long xRow = x.rowAddress(row);
                long dyRow = dy.rowAddress(row);
                float scale = Memory.getFloat(inverse.address() + 4 * row);
                if (dx != null) {
                    long dxRow = dx.tensor().rowAddress(row);
                    backwardRow(xRow, weightAddress, scale, dyRow, dxRow, columns, dx.accumulate());
                }
                if (dweight != null) {
                    addProduct(xRow, dyRow, scale, sum, columns);
                }
            }
        });
        if (dweight != null) {
            stripes.addUp(dweight.tensor().address(), dweight.accumulate());
        }
    }

    /** y = scale w x. */
    private static void scaleRow(long x, long w, float scale, long y, int n) {
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            Floats.store(y + 4L * i, Floats.load(x + 4L * i).mul(scale).mul(Floats.load(w + 4L * i)));
        }
        if (i < n) {
            VectorMask<Float> rest = Floats.first(n - i);
            FloatVector value = Floats.load(x + 4L * i, rest).mul(scale).mul(Floats.load(w + 4L * i, rest));
            Floats.store(y + 4L * i, value, rest);
        }
    }

    /** dx = scale (w dy - x scale^2 sum(w dy x) / n). */
    private static void backwardRow(long x, long w, float scale, long dy, long dx, int n, boolean accumulate) {
        FloatVector along = Floats.all((float) (-(double) scale * scale * dot(x, w, dy, n) / n));
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            FloatVector direct = Floats.load(dy + 4L * i).mul(Floats.load(w + 4L * i));
            Floats.put(dx + 4L * i, Floats.load(x + 4L * i).fma(along, direct).mul(scale), accumulate);
        }
        if (i < n) {
            VectorMask<Float> rest = Floats.first(n - i);
            FloatVector direct = Floats.load(dy + 4L * i, rest).mul(Floats.load(w + 4L * i, rest));
            Floats.put(dx + 4L * i, Floats.load(x + 4L * i, rest).fma(along, direct).mul(scale), accumulate, rest);
        }
    }

    /** sum(x w dy). */
    private static float dot(long x, long w, long dy, int n) {
        FloatVector sum0 = Floats.all(0);
        FloatVector sum1 = Floats.all(0);
        int i = 0;
        for (; i <= n - 2 * Lanes.FLOATS; i += 2 * Lanes.FLOATS) {
            long next = 4L * (i + Lanes.FLOATS);
            sum0 = Floats.load(x + 4L * i).mul(Floats.load(w + 4L * i)).fma(Floats.load(dy + 4L * i), sum0);
            sum1 = Floats.load(x + next).mul(Floats.load(w + next)).fma(Floats.load(dy + next), sum1);
        }
        for (; i < n; i += Lanes.FLOATS) {
            VectorMask<Float> rest = Floats.first(n - i);
            sum0 = Floats.load(x + 4L * i, rest).mul(Floats.load(w + 4L * i, rest))
                    .fma(Floats.load(dy + 4L * i, rest), sum0);
        }
        return VectorMath.sum(sum0.add(sum1));
    }

    /** sum += scale x dy. */
    private static void addProduct(long x, long dy, float scale, long sum, int n) {
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            FloatVector product = Floats.load(x + 4L * i).mul(scale);
            Floats.store(sum + 4L * i, product.fma(Floats.load(dy + 4L * i), Floats.load(sum + 4L * i)));
        }
        if (i < n) {
            VectorMask<Float> rest = Floats.first(n - i);
            FloatVector product = Floats.load(x + 4L * i, rest).mul(scale);
            Floats.store(sum + 4L * i, product.fma(Floats.load(dy + 4L * i, rest), Floats.load(sum + 4L * i, rest)),
                    rest);
        }
    }
}
