package io.mixt5.engine.reference;

import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.TopK;
import java.util.Comparator;
import java.util.stream.IntStream;

/** {@link TopK} by its definition. */
public final class ReferenceTopK extends ReferenceKernel implements TopK.Kernel {
    @Override
    public void forward(Tensor x, TopK.Best best) {
        int columns = (int) x.shape().columns();
        int k = (int) best.columns().shape().columns();
        for (long n = 0; n < x.shape().rows(); n++) {
            long row = n * columns;
            double lse = logSumExp(x, row, columns);
            int[] order = IntStream.range(0, columns).boxed()
                    .sorted(Comparator.comparingDouble((Integer i) -> -ranked(x.get(row + i))))
                    .mapToInt(i -> i).toArray();
            for (int i = 0; i < k; i++) {
                best.columns().set(n * k + i, order[i]);
                best.logProbabilities().set(n * k + i, x.get(row + order[i]) - lse);
            }
        }
    }

    private static double ranked(double value) {
        return Double.isNaN(value) ? Double.NEGATIVE_INFINITY : value + 0.0;
    }

    private static double logSumExp(Tensor x, long row, int columns) {
        double max = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < columns; i++) {
            max = Math.max(max, x.get(row + i));
        }
        double sum = 0;
        for (int i = 0; i < columns; i++) {
            sum += Math.exp(x.get(row + i) - max);
        }
        return max + Math.log(sum);
    }
}
