package io.mixt5.kernels.cpu;

import io.mixt5.engine.DType;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Cast;
import jdk.incubator.vector.FloatVector;

/**
 * {@link Cast} on the CPU, between all float types. To and from F32 it runs on vectors; the rest, which is rare,
 * element by element.
 */
public final class CpuCast implements Cast.Kernel {
    @Override
    public String unsupported(DType dtype) {
        return dtype.isFloat() ? null : "only floats are cast";
    }

    @Override
    public void cast(Tensor x, Target y) {
        DType from = x.dtype();
        DType to = y.tensor().dtype();
        long source = x.address();
        long target = y.tensor().address();
        Chunks.forEach(x.count(), (first, n, worker) -> cast(from, source + first * from.bytes(), to,
                target + first * to.bytes(), n, y.accumulate()));
    }

    private static void cast(DType from, long source, DType to, long target, int n, boolean accumulate) {
        int done = n - n % Lanes.FLOATS;
        if (from == DType.F32 && to == DType.F16) {
            toF16(source, target, done, accumulate);
        } else if (from == DType.F32 && to == DType.BF16) {
            toBf16(source, target, done, accumulate);
        } else if (from == DType.F16 && to == DType.F32) {
            fromF16(source, target, done, accumulate);
        } else if (from == DType.BF16 && to == DType.F32) {
            fromBf16(source, target, done, accumulate);
        } else {
            done = 0;
        }
        for (int i = done; i < n; i++) {
            long at = target + (long) i * to.bytes();
            double value = from.load(source + (long) i * from.bytes());
            to.store(at, accumulate ? to.load(at) + value : value);
        }
    }

    private static void toF16(long x, long y, int n, boolean accumulate) {
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            FloatVector value = Floats.load(x + 4L * i);
            Halves.storeF16(y + 2L * i, accumulate ? value.add(Halves.loadF16(y + 2L * i)) : value);
        }
    }

    private static void toBf16(long x, long y, int n, boolean accumulate) {
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            FloatVector value = Floats.load(x + 4L * i);
            Halves.storeBf16(y + 2L * i, accumulate ? value.add(Halves.loadBf16(y + 2L * i)) : value);
        }
    }

    private static void fromF16(long x, long y, int n, boolean accumulate) {
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            Floats.put(y + 4L * i, Halves.loadF16(x + 2L * i), accumulate);
        }
    }

    private static void fromBf16(long x, long y, int n, boolean accumulate) {
        for (int i = 0; i < n; i += Lanes.FLOATS) {
            Floats.put(y + 4L * i, Halves.loadBf16(x + 2L * i), accumulate);
        }
    }
}
