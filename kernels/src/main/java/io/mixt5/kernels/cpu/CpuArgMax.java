package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.ArgMax;
import jdk.incubator.vector.VectorOperators;

/** {@link ArgMax} on the CPU: first how large, then where. NaNs are passed over; a row of nothing else gives 0. */
public final class CpuArgMax extends F32Kernel implements ArgMax.Kernel {
    @Override
    public void forward(Tensor x, Tensor indices) {
        int columns = Math.toIntExact(x.shape().columns());
        WorkerPool.forRange(indices.count(), Chunks.rows(columns), (from, to, worker) -> {
            for (long row = from; row < to; row++) {
                long address = x.rowAddress(row);
                int index = find(address, Reductions.max(address, columns), columns);
                Memory.setInt(indices.address() + 4 * row, index);
            }
        });
    }

    /** The first place of {@code value} among n floats; 0 when it is not there. */
    private static int find(long address, float value, int n) {
        int i = 0;
        for (; i <= n - Lanes.FLOATS; i += Lanes.FLOATS) {
            long same = Floats.load(address + 4L * i).compare(VectorOperators.EQ, value).toLong();
            if (same != 0) {
                return i + Long.numberOfTrailingZeros(same);
            }
        }
        for (; i < n; i++) {
            if (Memory.getFloat(address + 4L * i) == value) {
                return i;
            }
        }
        return 0;
    }
}
