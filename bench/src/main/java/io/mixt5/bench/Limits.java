package io.mixt5.bench;

import io.mixt5.engine.DType;
import io.mixt5.engine.Memory;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Linear;
import io.mixt5.ffm.OpenBlas;
import io.mixt5.kernels.cpu.WorkerPool;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** What the machine can do at most, by which the report judges everything else of the same run; on all cores at once. */
public class Limits extends Timed {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    /** Floats of a stripe that a core takes at a time: a quarter of a MiB. */
    private static final long GRAIN = 1 << 16;

    /** Three arrays that no cache holds. */
    @State(Scope.Benchmark)
    public static class Arrays {
        /** Mebibytes of each. */
        @Param("256")
        public int mebibytes;

        private DeviceState device;
        private Tensor a;
        private Tensor b;
        private Tensor c;

        /** Makes them. */
        @Setup(Level.Trial)
        public void open(DeviceState on) {
            device = on;
            a = zeros();
            b = zeros();
            c = zeros();
        }

        private Tensor zeros() {
            Tensor tensor = Tensor.create(device.get(), DType.F32, Shape.of((long) mebibytes << 18), "array");
            tensor.zero();
            return tensor;
        }

        /** Frees them. */
        @TearDown(Level.Trial)
        public void close() {
            a.close();
            b.close();
            c.close();
        }
    }

    /** Square matrices. */
    @State(Scope.Benchmark)
    public static class Squares {
        /** Rows and columns. */
        @Param({"1024", "2048", "4096"})
        public int n;

        private DeviceState device;
        private Tensor a;
        private Tensor b;
        private Tensor c;

        /** Makes them. */
        @Setup(Level.Trial)
        public void open(DeviceState on) {
            device = on;
            a = RandomData.matrix(on.get(), 1, n, n);
            b = RandomData.matrix(on.get(), 2, n, n);
            c = RandomData.matrix(on.get(), 3, n, n);
        }

        /** Frees them. */
        @TearDown(Level.Trial)
        public void close() {
            a.close();
            b.close();
            c.close();
        }
    }

    /** a = b. */
    @Benchmark
    public void copy(Arrays in, Work work) {
        work.bytes = in.a.bytes() + in.b.bytes();
        if (in.device.get().backend().hostVisible()) {
            WorkerPool.forRange(in.a.count(), GRAIN,
                    (from, to, worker) -> Memory.copy(in.b.address() + Float.BYTES * from,
                            in.a.address() + Float.BYTES * from, Float.BYTES * (to - from)));
        } else {
            in.a.copyFrom(in.b);
            in.device.await(in.a);
        }
    }

    /** a = b + 3 c, on the CPU. */
    @Benchmark
    public void triad(Arrays in, Work work) {
        if (!in.device.get().backend().hostVisible()) {
            throw new UnsupportedOperationException("The triad is written for the CPU; on a GPU 'copy' is the limit.");
        }
        work.bytes = in.a.bytes() + in.b.bytes() + in.c.bytes();
        WorkerPool.forRange(in.a.count(), GRAIN,
                (from, to, worker) -> triad(in.a.address(), in.b.address(), in.c.address(),
                        Float.BYTES * from, Float.BYTES * to));
    }

    /** Between two offsets in bytes; arrays are whole numbers of vectors. */
    private static void triad(long a, long b, long c, long from, long to) {
        int step = SPECIES.vectorByteSize();
        for (long at = from; at < to; at += step) {
            FloatVector.fromMemorySegment(SPECIES, Memory.ALL, b + at, ORDER)
                    .add(FloatVector.fromMemorySegment(SPECIES, Memory.ALL, c + at, ORDER).mul(3))
                    .intoMemorySegment(Memory.ALL, a + at, ORDER);
        }
    }

    /** A B by OpenBLAS, each core its rows; on a GPU by what serves {@link #product}. */
    @Benchmark
    public void blas(Squares in, Work work) {
        if (!in.device.get().backend().hostVisible()) {
            product(in, work);
            return;
        }
        if (!OpenBlas.available()) {
            throw new UnsupportedOperationException(
                    "OpenBLAS was not found; mixt5-train.jar doctor says where it looked.");
        }
        int n = in.n;
        work.flops = 2L * n * n * n;
        int grain = n / WorkerPool.size();
        WorkerPool.forRange(n, grain, (from, to, worker) -> OpenBlas.sgemm(false, false, (int) (to - from), n, n, 1,
                in.a.rowAddress(from), n, in.b.address(), n, 0, in.c.rowAddress(from), n));
    }

    /** A B^T by the engine's own product. */
    @Benchmark
    public void product(Squares in, Work work) {
        work.flops = 2L * in.n * in.n * in.n;
        in.device.get().kernel(Linear.Kernel.class, DType.F32).forward(in.a, in.b, in.c);
        in.device.await(in.c);
    }
}
