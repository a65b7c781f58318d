package io.mixt5.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.DType;
import io.mixt5.kernels.emulator.Emulator;
import io.mixt5.kernels.emulator.EmulatorSettings;
import io.mixt5.kernels.emulator.counters.Counters;
import io.mixt5.kernels.emulator.sanitizer.Sanitizer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** {@link OwnGemm} on emulated devices that take different kernels, against sums in double precision. */
class CudaGemmTest {
    private static final int[] CAPABILITIES = {75, 80};
    static final DType[] TYPES = {DType.F32, DType.F16, DType.BF16};
    private static final boolean[] BOTH = {false, true};
    /** The last of these sizes is done in large tiles. */
    private static final int[][] SIZES = {{5, 13, 7}, {1, 1, 1}, {64, 64, 64}, {3, 70, 0}, {70, 33, 101},
            {130, 260, 50}};

    /**
     * How matrices lie in memory.
     *
     * @param offset elements before the first
     * @param multiple of which rows are so many elements apart
     * @param gap further elements between rows
     */
    private record Layout(int offset, int multiple, int gap) {
        private static final Layout ALIGNED = new Layout(0, 8, 0);
        private static final List<Layout> ALL = List.of(ALIGNED, new Layout(3, 1, 0), new Layout(4, 4, 4),
                new Layout(0, 8, 1));

        int ld(int columns) {
            return Math.ceilDiv(columns, multiple) * multiple + gap;
        }
    }

    private static CudaGpu gpu(EmulatorSettings settings) {
        return new CudaBackend("emulator", () -> new Emulator(settings), 0).gpu();
    }

    @TestFactory
    Stream<DynamicTest> equalsSumsInDoublePrecision() {
        List<DynamicTest> tests = new ArrayList<>();
        for (int capability : CAPABILITIES) {
            CudaGpu gpu = gpu(EmulatorSettings.DEFAULT.withCapability(capability).withMonitor(new Sanitizer())
                    .withOrder(capability));
            for (DType dtype : TYPES) {
                for (int[] size : SIZES) {
                    String name = dtype + " " + size[0] + " x " + size[1] + " x " + size[2] + " on " + capability;
                    tests.add(DynamicTest.dynamicTest(name, () -> products(gpu, new OwnGemm(gpu), dtype, size)));
                }
            }
        }
        return tests.stream();
    }

    /** Checks products of one size: all transposes, layouts, some added to C. */
    static void products(CudaGpu gpu, Gemm gemm, DType dtype, int[] size) {
        int turn = 0;
        for (boolean transA : BOTH) {
            for (boolean transB : BOTH) {
                for (Layout layout : Layout.ALL) {
                    check(gpu, gemm, dtype, transA, transB, size, layout, turn++ % 3 == 0);
                }
            }
        }
    }

    private static void check(CudaGpu gpu, Gemm gemm, DType dtype, boolean transA, boolean transB, int[] size,
            Layout layout, boolean accumulate) {
        int m = size[0];
        int n = size[1];
        int k = size[2];
        try (DeviceMatrix a = matrix(gpu, dtype, transA ? k : m, transA ? m : k, layout, 1);
                DeviceMatrix b = matrix(gpu, dtype, transB ? n : k, transB ? k : n, layout, 2);
                DeviceMatrix c = matrix(gpu, dtype, m, n, layout, 3)) {
            gemm.multiply(dtype, transA, transB, m, n, k, a.address(), a.ld(), b.address(), b.ld(), accumulate,
                    c.address(), c.ld());
            DeviceMatrix.Values result = c.download();
            assertTrue(result.gapsUntouched(), "written outside C");
            double[] sums = new double[k];
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    double sum = accumulate ? c.get(i, j) : 0;
                    double magnitude = Math.abs(sum);
                    for (int l = 0; l < k; l++) {
                        sums[l] = (transA ? a.get(l, i) : a.get(i, l)) * (transB ? b.get(j, l) : b.get(l, j));
                        sum += sums[l];
                        magnitude += Math.abs(sums[l]);
                    }
                    assertEquals(sum, result.get(i, j), DeviceMatrix.tolerance(dtype, sum, magnitude, k),
                            () -> "transposes " + transA + " " + transB + ", " + layout + ", accumulate " + accumulate);
                }
            }
        }
    }

    private static DeviceMatrix matrix(CudaGpu gpu, DType dtype, int rows, int columns, Layout layout, int stream) {
        return DeviceMatrix.random(gpu, dtype, rows, columns, layout.offset, layout.ld(columns), stream);
    }

    @Test
    void touchesNothingWithoutElements() {
        CudaGpu gpu = gpu(EmulatorSettings.DEFAULT);
        // No address could be read or written.
        new OwnGemm(gpu).multiply(DType.F32, false, false, 0, 5, 5, 0, 5, 0, 5, false, 0, 5);
        new OwnGemm(gpu).multiply(DType.F16, false, false, 5, 0, 5, 0, 5, 0, 5, false, 0, 5);
        gpu.synchronize();
    }

    /** Whichever way operands lie, memory is used without conflicts or half-used sectors, and threads do not diverge. */
    @TestFactory
    Stream<DynamicTest> movesLittle() {
        List<DynamicTest> tests = new ArrayList<>();
        for (int capability : CAPABILITIES) {
            for (DType dtype : TYPES) {
                for (int[] size : new int[][]{{64, 64, 128}, {256, 256, 64}}) {
                    for (boolean transA : BOTH) {
                        for (boolean transB : BOTH) {
                            tests.add(DynamicTest.dynamicTest(dtype + " " + size[0] + " " + transA + " " + transB
                                    + " on " + capability, () -> count(capability, dtype, transA, transB, size)));
                        }
                    }
                }
            }
        }
        return tests.stream();
    }

    private static void count(int capability, DType dtype, boolean transA, boolean transB, int[] size) {
        Counters counters = new Counters();
        CudaGpu gpu = gpu(EmulatorSettings.DEFAULT.withCapability(capability).withMonitor(counters));
        check(gpu, new OwnGemm(gpu), dtype, transA, transB, size, Layout.ALIGNED, true);
        counters.kernels().forEach((name, counted) -> {
            assertTrue(counted.shared().ways() <= 1.05, name + ": bank conflicts, " + counted.shared());
            long ideal = counted.global().idealSectors();
            if (dtype == DType.BF16 && capability < 80) {
                // Without tensor cores a slice has rows of half a sector in BF16, and CUDA's own rounding branches.
                assertTrue(counted.global().sectors() <= 2 * ideal, name + ": " + counted.global());
            } else {
                assertEquals(ideal, counted.global().sectors(), name + ": " + counted.global());
                assertEquals(0, counted.divergentBranches(), name + ": divergent branches");
            }
        });
        assertEquals(1, counters.kernels().size());
    }

    @Test
    void repeatsItself() {
        for (DType dtype : TYPES) {
            assertEquals(product(dtype, 1), product(dtype, 2), dtype + ": another order of blocks and warps");
        }
    }

    private static List<Double> product(DType dtype, long order) {
        CudaGpu gpu = gpu(EmulatorSettings.DEFAULT.withOrder(order));
        try (DeviceMatrix a = matrix(gpu, dtype, 90, 100, Layout.ALIGNED, 1);
                DeviceMatrix b = matrix(gpu, dtype, 100, 80, Layout.ALIGNED, 2);
                DeviceMatrix c = matrix(gpu, dtype, 90, 80, Layout.ALIGNED, 3)) {
            new OwnGemm(gpu).multiply(dtype, false, false, 90, 80, 100, a.address(), a.ld(), b.address(), b.ld(),
                    false, c.address(), c.ld());
            DeviceMatrix.Values values = c.download();
            return IntStream.range(0, 90 * 80).mapToObj(i -> values.get(i / 80, i % 80)).toList();
        }
    }
}
