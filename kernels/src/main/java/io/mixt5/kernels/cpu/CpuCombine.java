package io.mixt5.kernels.cpu;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Combine;

/** {@link Combine} on the CPU: each token's row is one task's, and so is each row of its experts. */
public final class CpuCombine extends F32Kernel implements Combine.Kernel {
    @Override
    public void forward(Tensor x, Tensor weights, Tensor slots, Tensor y) {
        int width = Math.toIntExact(x.shape().columns());
        int choices = (int) slots.shape().columns();
        long bytes = (long) Float.BYTES * width;
        WorkerPool.forRange(slots.shape().rows(), Chunks.rows(width), (from, to, worker) -> {
            for (long token = from; token < to; token++) {
                boolean accumulate = false;
                long yRow = y.address() + token * bytes;
                for (long entry = token * choices; entry < (token + 1) * choices; entry++) {
                    int row = Memory.getInt(slots.address() + 4 * entry);
                    if (row >= 0) {
                        float weight = Memory.getFloat(weights.address() + 4 * entry);
                        Rows.scale(x.address() + row * bytes, weight, yRow, width, accumulate);
                        accumulate = true;
                    }
                }
                if (!accumulate) {
                    Memory.fill(yRow, bytes, (byte) 0);
                }
            }
        });
    }

    @Override
    public void backward(Tensor dy, Tensor x, Tensor weights, Tensor slots, Tensor tokens, Target dx,
            Target dweights) {
        int width = Math.toIntExact(dy.shape().columns());
        int choices = (int) slots.shape().columns();
        long bytes = (long) Float.BYTES * width;
        WorkerPool.forRange(slots.shape().rows(), Chunks.rows(width), (from, to, worker) -> {
            for (long entry = from * choices; entry < to * choices; entry++) {
                long dyRow = dy.address() + entry / choices * bytes;
                int row = Memory.getInt(slots.address() + 4 * entry);
                if (dx != null && row >= 0) {
                    float weight = Memory.getFloat(weights.address() + 4 * entry);
                    Rows.scale(dyRow, weight, dx.tensor().address() + row * bytes, width, dx.accumulate());
                }
                if (dweights != null) {
                    float gradient = row < 0 ? 0 : Rows.dot(dyRow, x.address() + row * bytes, width);
                    put(dweights, entry, gradient);
                }
            }
        });
        if (dx != null && !dx.accumulate()) {
            zeroUnused(tokens, dx.tensor());
        }
    }

    private static void put(Target target, long index, float value) {
        long address = target.tensor().address() + 4 * index;
        Memory.setFloat(address, target.accumulate() ? Memory.getFloat(address) + value : value);
    }

    /** Rows without a token are the last ones. */
    private static void zeroUnused(Tensor tokens, Tensor dx) {
        long used = tokens.count();
        while (used > 0 && Memory.getInt(tokens.address() + 4 * (used - 1)) < 0) {
            used--;
        }
        long from = dx.rowAddress(used);
        Memory.fill(from, dx.address() + dx.bytes() - from, (byte) 0);
    }
}
