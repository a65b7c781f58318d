package io.mixt5.kernels.cuda;

import io.mixt5.engine.DType;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.AdamW;
import java.util.List;

/** {@link AdamW} by adamw.cu: a launch that decides what is updated, and one that does it, for all
 * parameters. */
public final class CudaAdamW extends CudaKernel implements AdamW.Kernel {
    private static final int THREADS = 256;
    /** Elements of a block. */
    private static final long CHUNK = 1 << 13;
    /** Numbers of an {@code AdamSlot} and of an {@code AdamPace}. */
    private static final int FIELDS = 9;
    private static final int PACE = 4;

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
            table[at++] = slot.gradRows() == null ? 0 : slot.gradRows().address();
            table[at++] = slot.place();
            blocks += blocks(count, CHUNK);
        }
        long known = gpu.table(table);
        int count = slots.size();
        try (Scope scope = new Scope(slots.getFirst().weight().device())) {
            Tensor paces = scope.allocate(DType.F32, Shape.of(count, PACE), "adamw.paces");
            updates(launch("adamw_begin").address(known).int32(count), s.updates()).float64(s.learningRate())
                    .float64(s.beta1()).float64(s.beta2()).float64(s.eps()).tensor(paces)
                    .run(blocks(count, THREADS), THREADS);
            launch("adamw_update", slots.getFirst().weight().dtype()).address(known).int32(count).int64(CHUNK)
                    .tensor(paces).float32((float) s.learningRate()).float32((float) (1 - s.beta1()))
                    .float32((float) s.beta2()).float32((float) (1 - s.beta2())).run(blocks, THREADS);
        }
    }
}
