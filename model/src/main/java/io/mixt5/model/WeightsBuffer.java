package io.mixt5.model;

import io.mixt5.engine.DType;
import io.mixt5.engine.Tensor;
import io.mixt5.model.io.StoredTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Where weights pass through on their way from a file to a device, piece by piece: one megabyte. One thread. */
final class WeightsBuffer implements AutoCloseable {
    private static final int ELEMENTS = 1 << 16;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment elements = arena.allocate((long) ELEMENTS * Double.BYTES, 64);
    private final MemorySegment others = arena.allocate((long) ELEMENTS * Double.BYTES, 64);

    /** Fills {@code tensor}, F32 on any device, with floats of any type and of the same count. */
    void fill(Tensor tensor, StoredTensor stored) {
        DType type = DType.valueOf(stored.type().name());
        for (long at = 0; at < tensor.count(); at += ELEMENTS) {
            long count = Math.min(ELEMENTS, tensor.count() - at);
            MemorySegment piece = elements.asSlice(0, count * type.bytes());
            stored.read(at, piece);
            tensor.device().backend().upload(type == DType.F32 ? piece : toFloats(type, count),
                    tensor.address() + at * Float.BYTES);
        }
    }

    private MemorySegment toFloats(DType type, long count) {
        for (long i = 0; i < count; i++) {
            double value = type.load(elements.address() + i * type.bytes());
            others.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
        }
        return others.asSlice(0, count * Float.BYTES);
    }

    /** Whether two tensors are equal bit for bit, shape and type as well. */
    boolean equal(StoredTensor a, StoredTensor b) {
        if (a.sharesDataWith(b)) {
            return true;
        }
        if (a.type() != b.type() || !Arrays.equals(a.shape(), b.shape())) {
            return false;
        }
        for (long at = 0; at < a.count(); at += ELEMENTS) {
            long bytes = Math.min(ELEMENTS, a.count() - at) * a.type().bytes();
            a.read(at, elements.asSlice(0, bytes));
            b.read(at, others.asSlice(0, bytes));
            if (elements.asSlice(0, bytes).mismatch(others.asSlice(0, bytes)) >= 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void close() {
        arena.close();
    }
}
