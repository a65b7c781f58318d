package io.mixt5.kernels.cpu;

import io.mixt5.engine.Gradients.Counted;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GroupedLinear;
import java.util.List;

/** {@link GroupedLinear} on the CPU: the experts' products by {@link GroupedGemm}. */
public final class CpuGroupedLinear extends F32Kernel implements GroupedLinear.Kernel {
    @Override
    public void forward(Tensor x, List<Tensor> weights, Tensor offsets, Tensor y) {
        int in = width(x);
        int out = width(y);
        GroupedGemm products = new GroupedGemm(false, true);
        for (int e = 0; e < weights.size(); e++) {
            products.add(rows(offsets, e), out, in, x.rowAddress(offset(offsets, e)), in, weights.get(e).address(), in,
                    0,
                    y.rowAddress(offset(offsets, e)), out);
        }
        products.run();
        zeroUnused(offsets, weights.size(), y);
    }

    @Override
    public void backwardInput(Tensor dy, List<Tensor> weights, Tensor offsets, Target dx) {
        Tensor target = dx.tensor();
        int in = width(target);
        int out = width(dy);
        GroupedGemm products = new GroupedGemm(false, false);
        for (int e = 0; e < weights.size(); e++) {
            products.add(rows(offsets, e), in, out, dy.rowAddress(offset(offsets, e)), out, weights.get(e).address(),
                    in,
                    dx.accumulate() ? 1 : 0, target.rowAddress(offset(offsets, e)), in);
        }
        products.run();
        if (!dx.accumulate()) {
            zeroUnused(offsets, weights.size(), target);
        }
    }

    @Override
    public void backwardWeights(Tensor dy, Tensor x, Tensor offsets, List<Counted> dweights) {
        int in = width(x);
        int out = width(dy);
        GroupedGemm products = new GroupedGemm(true, false);
        for (int e = 0; e < dweights.size(); e++) {
            if (dweights.get(e) != null) {
                Target target = dweights.get(e).gradient();
                // Without rows this writes zeros or, when accumulating, nothing.
                products.add(out, in, rows(offsets, e), dy.rowAddress(offset(offsets, e)), out,
                        x.rowAddress(offset(offsets, e)), in, target.accumulate() ? 1 : 0, target.tensor().address(),
                        in);
                count(rows(offsets, e), dweights.get(e).rows());
            }
        }
        products.run();
    }

    private static void count(int rows, Target target) {
        if (target != null) {
            long address = target.tensor().address();
            Memory.setInt(address, rows + (target.accumulate() ? Memory.getInt(address) : 0));
        }
    }

    private static int width(Tensor tensor) {
        return Math.toIntExact(tensor.shape().columns());
    }

    private static int offset(Tensor offsets, int expert) {
        return Memory.getInt(offsets.address() + 4L * expert);
    }

    private static int rows(Tensor offsets, int expert) {
        return offset(offsets, expert + 1) - offset(offsets, expert);
    }

    private static void zeroUnused(Tensor offsets, int experts, Tensor y) {
        long from = y.rowAddress(offset(offsets, experts));
        Memory.fill(from, y.address() + y.bytes() - from, (byte) 0);
    }
}
