package io.mixt5.kernels.cuda;

import io.mixt5.engine.op.AdamW;
import java.util.List;

/** {@link AdamW} by adamw.cu: one launch for all parameters, the norm staying on the device. */
public final class CudaAdamW extends CudaKernel implements AdamW.Kernel {
    private static final int THREADS = 256;
    /** Elements of a block. */
    private static final long CHUNK = 1 << 13;
    /** Numbers of an {@code AdamSlot}. */
    private static final int FIELDS = 7;

    /** On {@code gpu}. */
    public CudaAdamW(CudaGpu gpu) {
        super(gpu, "adamw");
    }

    @Override
    public void update(List<AdamW.Slot> slots, AdamW.Settings s) {
        long[] table = new long[FIELDS * slots.size()];
        long blocks = 0;
        int at = 0;
        for (AdamW.Slot slot : slots) {
            long count = slot.weight().count();
            table[at++] = slot.weight().address();
            table[at++] = slot.gradient().address();
            table[at++] = slot.m().address();
            table[at++] = slot.v().address();
            table[at++] = count;
            table[at++] = blocks;
            table[at++] = Float.floatToRawIntBits(slot.decay());
            blocks += blocks(count, CHUNK);
        }
        double correction1 = 1 - Math.pow(s.beta1(), s.step());
        double correction2 = Math.sqrt(1 - Math.pow(s.beta2(), s.step()));
        launch("adamw_update", slots.getFirst().weight().dtype()).address(gpu.table(table)).int32(slots.size())
                .int64(CHUNK).tensor(s.maxNorm() > 0 ? s.norm() : null).float32((float) s.maxNorm())
                .float32((float) s.learningRate()).float32((float) (1 - s.beta1())).float32((float) s.beta2())
                .float32((float) (1 - s.beta2())).float32((float) (s.learningRate() / correction1 * correction2))
                .float32((float) (s.eps() * correction2)).run(blocks, THREADS);
    }
}
