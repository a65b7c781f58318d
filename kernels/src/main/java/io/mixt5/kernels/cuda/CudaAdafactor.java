package io.mixt5.kernels.cuda;

import io.mixt5.engine.DType;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Adafactor;
import io.mixt5.engine.op.Adafactor.Settings;
import java.util.List;

/** {@link Adafactor} by adafactor.cu: a launch that decides what is updated, and seven that do it, for all
 * parameters. */
public final class CudaAdafactor extends CudaKernel implements Adafactor.Kernel {
    private static final int THREADS = 256;
    private static final int WARP = 32;
    /** Columns and rows of a tile. */
    private static final int PANEL = 32;
    private static final int STRIPE = 512;
    /** Numbers of a {@code FactoredSlot} and of a {@code Size}. */
    private static final int FIELDS = 13;
    private static final int SIZES = 8;

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
                    Float.floatToRawIntBits(slot.decay()), slot.gradRows() == null ? 0 : slot.gradRows().address(),
                    slot.place()}) {
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
            updates(launch("adafactor_begin").address(table).int32(count), s.updates())
                    .float32((float) s.decayRate()).tensor(sizes).run(blocks(count, THREADS), THREADS);
            launch("adafactor_rows", dtype).address(table).int32(count).tensor(sizes).bool(s.scaleParameter())
                    .int64(layout.rows).tensor(sums).run(rowBlocks, THREADS);
            launch("adafactor_columns", dtype).address(table).int32(count).tensor(sizes).tensor(partials)
                    .run(layout.tiles, THREADS);
            launch("adafactor_column_moments", dtype).address(table).int32(count).tensor(sizes).int64(layout.columns)
                    .tensor(partials).run(blocks(layout.columns, THREADS), THREADS);
            launch("adafactor_means", dtype).address(table).tensor(sums).tensor(sizes).run(count, THREADS);
            launch("adafactor_updates", dtype).address(table).int32(count).tensor(sizes).int64(layout.rows)
                    .tensor(sums).run(rowBlocks, THREADS);
            launch("adafactor_steps").address(table).float32((float) s.learningRate()).bool(s.scaleParameter())
                    .float32((float) s.clipThreshold()).tensor(sums).tensor(sizes).run(count, THREADS);
            launch("adafactor_apply", dtype).address(table).int32(count).tensor(sizes).int64(layout.rows)
                    .run(rowBlocks, THREADS);
        }
    }
}
