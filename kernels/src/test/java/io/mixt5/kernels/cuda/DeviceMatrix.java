package io.mixt5.kernels.cuda;

import io.mixt5.engine.DType;
import io.mixt5.engine.Philox;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A row-major matrix on a device and what was put into it, with a NaN wherever there is no element. */
final class DeviceMatrix implements AutoCloseable {
    private final CudaGpu gpu;
    private final DType dtype;
    private final int rows;
    private final int columns;
    private final int offset;
    private final int ld;
    private final long memory;
    private final Values uploaded;

    /** The content of a matrix at some time. */
    final class Values {
        private final double[] all;

        private Values(double[] all) {
            this.all = all;
        }

        double get(int row, int column) {
            return all[offset + row * ld + column];
        }

        /** Whether everything that is no element is still NaN. */
        boolean gapsUntouched() {
            for (int i = 0; i < all.length; i++) {
                if (!element(i) && !Double.isNaN(all[i])) {
                    return false;
                }
            }
            return true;
        }
    }

    private DeviceMatrix(CudaGpu gpu, DType dtype, int rows, int columns, int offset, int ld, int stream) {
        this.gpu = gpu;
        this.dtype = dtype;
        this.rows = rows;
        this.columns = columns;
        this.offset = offset;
        this.ld = ld;
        int count = offset + rows * ld + 8;
        memory = gpu.driver().allocate((long) count * dtype.bytes());
        double[] values = new double[count];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate((long) count * dtype.bytes(), 8);
            for (int i = 0; i < count; i++) {
                long place = host.address() + (long) i * dtype.bytes();
                dtype.store(place, element(i) ? Philox.normal(7, stream, 0, i) : Double.NaN);
                values[i] = dtype.load(place);
            }
            gpu.upload(host, memory);
        }
        uploaded = new Values(values);
    }

    /** Normally distributed elements. */
    static DeviceMatrix random(CudaGpu gpu, DType dtype, int rows, int columns, int offset, int ld, int stream) {
        return new DeviceMatrix(gpu, dtype, rows, columns, offset, ld, stream);
    }

    /** How far a sum of {@code terms} products in F32, whose magnitudes have a sum, may be off when rounded to a type. */
    static double tolerance(DType dtype, double sum, double magnitude, int terms) {
        double unit = switch (dtype) {
            case F16 -> 0x1p-11;
            case BF16 -> 0x1p-8;
            default -> 0;
        };
        return Math.abs(sum) * unit * 1.001 + magnitude * (terms + 2) * 0x1p-23 + 0x1p-24;
    }

    private boolean element(int i) {
        int place = i - offset;
        return place >= 0 && place < rows * ld && place % ld < columns;
    }

    long address() {
        return memory + (long) offset * dtype.bytes();
    }

    int ld() {
        return ld;
    }

    /** What was put there. */
    double get(int row, int column) {
        return uploaded.get(row, column);
    }

    /** What is there now. */
    Values download() {
        try (Arena arena = Arena.ofConfined()) {
            double[] values = new double[uploaded.all.length];
            MemorySegment host = arena.allocate((long) values.length * dtype.bytes(), 8);
            gpu.download(memory, host);
            for (int i = 0; i < values.length; i++) {
                values[i] = dtype.load(host.address() + (long) i * dtype.bytes());
            }
            return new Values(values);
        }
    }

    @Override
    public void close() {
        gpu.driver().free(memory);
    }
}
