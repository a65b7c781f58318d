package io.mixt5.kernels.cpu;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Dispatch;

/** {@link Dispatch} on the CPU: copies row by row, and sums token by token. */
public final class CpuDispatch extends F32Kernel implements Dispatch.Kernel {
    @Override
    public void forward(Tensor x, Tensor slots, Tensor tokens, Tensor y) {
        long width = x.shape().columns();
        long bytes = Float.BYTES * width;
        long xAddress = x.address();
        long yAddress = y.address();
        long tokenAddress = tokens.address();
        WorkerPool.forRange(tokens.count(), Chunks.rows(width), (from, to, worker) -> {
            for (long row = from; row < to; row++) {
                int token = Memory.getInt(tokenAddress + 4 * row);
                if (token < 0) {
                    Memory.fill(yAddress + row * bytes, bytes, (byte) 0);
                } else {
                    Memory.copy(xAddress + token * bytes, yAddress + row * bytes, bytes);
                }
            }
        });
    }

    @Override
    public void backward(Tensor dy, Tensor slots, Target dx) {
        int width = Math.toIntExact(dy.shape().columns());
        int choices = (int) slots.shape().columns();
        long bytes = (long) Float.BYTES * width;
        long dyAddress = dy.address();
        long dxAddress = dx.tensor().address();
        WorkerPool.forRange(slots.shape().rows(), Chunks.rows(width), (from, to, worker) -> {
            for (long token = from; token < to; token++) {
                boolean accumulate = dx.accumulate();
                for (int s = 0; s < choices; s++) {
                    int row = Memory.getInt(slots.address() + 4 * (token * choices + s));
                    if (row >= 0) {
                        Rows.scale(dyAddress + row * bytes, 1, dxAddress + token * bytes, width, accumulate);
                        accumulate = true;
                    }
                }
                if (!accumulate) {
                    Memory.fill(dxAddress + token * bytes, bytes, (byte) 0);
                }
            }
        });
    }
}
