package io.mixt5.kernels.cuda;

import io.mixt5.engine.DType;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Adafactor;
import io.mixt5.engine.op.Adafactor.Settings;
import java.util.List;

/** {@link Adafactor} by adafactor.cu: seven launches for all parameters, the norm staying on the device. */
public final class CudaAdafactor extends CudaKernel implements Adafactor.Kernel {
    private static final int THREADS = 256;
    private static final int WARP = 32;
    /** Columns and rows of a tile. */
    private static final int PANEL = 32;
    private static final int STRIPE = 512;
    /** Numbers of a {@code FactoredSlot} and of a {@code Size}. */
    private static final int FIELDS = 11;
    private static final int SIZES = 4;

    /** On {@code gpu}. */
    public CudaAdafactor(CudaGpu gpu) {
        super(gpu, "adafactor");
    }

    /** Of all slots: the table of {@code FactoredSlot} structures, and what they need altogether. */
    private static final class Layout {
        final long[] table;
        long rows;
        long tiles;
        long columns;
        long partials;
        private int at;

        Layout(List<Adafactor.Slot> slots) {
            table = new long[FIELDS * slots.size()];
            slots.forEach(this::add);
        }

        private void add(Adafactor.Slot slot) {
            boolean matrix = slot.columns() != null;
            long height = slot.rows().count();
            long width = matrix ? slot.columns().count() : 1;
            for (long number : new long[]{slot.weight().address(), slot.gradient().address(), slot.rows().address(),
                    matrix ? slot.columns().address() : 0, height, width, rows, tiles, columns, partials,
                    Float.floatToRawIntBits(slot.decay())}) {
                table[at++] = number;
            }
            rows += height;
            if (matrix) {
                long stripes = blocks(height, STRIPE);
                tiles += stripes * blocks(width, PANEL);
                columns += width;
                partials += stripes * width;
            }
        }
    }

    @Override
    public void update(List<Adafactor.Slot> slots, Settings s) {
        Layout layout = new Layout(slots);
        DType dtype = slots.getFirst().weight().dtype();
        long table = gpu.table(layout.table);
        int count = slots.size();
        long rowBlocks = blocks(layout.rows, THREADS / WARP);
        try (Scope scope = new Scope(slots.getFirst().weight().device())) {
            Tensor sums = scope.allocate(DType.F32, Shape.of(layout.rows), "adafactor.row_sums");
            Tensor partials = scope.allocate(DType.F32, Shape.of(layout.partials), "adafactor.column_sums");
            Tensor sizes = scope.allocate(DType.F32, Shape.of(count, SIZES), "adafactor.sizes");
            paced(launch("adafactor_rows", dtype), table, count, s).int64(layout.rows).tensor(sums).run(rowBlocks,
                    THREADS);
            clipped(launch("adafactor_columns", dtype), table, count, s).tensor(partials).run(layout.tiles, THREADS);
            paced(launch("adafactor_column_moments", dtype), table, count, s).int64(layout.columns).tensor(partials)
                    .run(blocks(layout.columns, THREADS), THREADS);
            launch("adafactor_means", dtype).address(table).tensor(sums).tensor(sizes).run(count, THREADS);
            clipped(launch("adafactor_updates", dtype), table, count, s).int64(layout.rows).tensor(sizes).tensor(sums)
                    .run(rowBlocks, THREADS);
            paced(launch("adafactor_steps"), table, count, s).tensor(sums).tensor(sizes).run(count, THREADS);
            clipped(launch("adafactor_apply", dtype), table, count, s).int64(layout.rows).tensor(sizes).run(rowBlocks,
                    THREADS);
        }
    }

    /** The slots and the norm. */
    private static Launch clipped(Launch launch, long table, int slots, Settings s) {
        return launch.address(table).int32(slots).tensor(s.maxNorm() > 0 ? s.norm() : null)
                .float32((float) s.maxNorm());
    }

    /** {@code COMMON_PARAMETERS}. */
    private static Launch paced(Launch launch, long table, int slots, Settings s) {
        return clipped(launch, table, slots, s).float32((float) s.learningRate()).bool(s.scaleParameter())
                .float32((float) s.beta2()).float32((float) (1 - s.beta2())).float32((float) s.clipThreshold());
    }
}
