package io.mixt5.kernels.cpu;

import io.mixt5.engine.Memory;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.WriteRows;

/** {@link WriteRows} on the CPU. */
public final class CpuWriteRows extends F32Kernel implements WriteRows.Kernel {
    @Override
    public void write(Tensor source, Tensor rows, Tensor target) {
        long width = source.shape().columns();
        long bytes = 4 * width;
        WorkerPool.forRange(rows.count(), Chunks.rows(width), (from, to, worker) -> {
            for (long i = from; i < to; i++) {
                long row = Memory.getInt(rows.address() + 4 * i);
                Memory.copy(source.address() + i * bytes, target.address() + row * bytes, bytes);
            }
        });
    }
}
