package io.mixt5.kernels.emulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Kernels as nvcc compiles them (whole_kernels.cu), in order, permuted and watched. */
class WholeKernelsTest {
    static Stream<Arguments> settings() {
        return Stream.of(arguments("several threads", EmulatorSettings.DEFAULT),
                arguments("permuted", EmulatorSettings.DEFAULT.withOrder(3)),
                arguments("watched", EmulatorSettings.DEFAULT.withMonitor(new Monitor() {
                })));
    }

    private static TestDevice device(EmulatorSettings settings) throws IOException {
        try (InputStream in = WholeKernelsTest.class.getResourceAsStream("/emulator/whole_kernels.ptx")) {
            return new TestDevice(settings).load(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    private static float[] random(int count, int seed) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextInt(-20, 21) / 4f;
        }
        return values;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("settings")
    void adds(String name, EmulatorSettings settings) throws IOException {
        int n = 1000;
        float[] a = random(n, 1);
        float[] b = random(n, 2);
        float[] expected = new float[n];
        for (int i = 0; i < n; i++) {
            expected[i] = a[i] + b[i];
        }
        try (TestDevice device = device(settings)) {
            long c = device.allocate(4 * n);
            device.launch("add", 8, 128, device.put(a), device.put(b), c, n);
            assertArrayEquals(expected, device.floats(c, n));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("settings")
    void sums(String name, EmulatorSettings settings) throws IOException {
        float[] x = random(4000, 3);
        float expected = 0;
        for (float value : x) {
            expected += value;
        }
        try (TestDevice device = device(settings)) {
            long total = device.put(0f);
            device.launch("sum", 3, 128, device.put(x), total, 1000);
            // Quarters add up exactly in any order.
            assertEquals(expected, device.floats(total, 1)[0]);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("settings")
    void multipliesMatrices(String name, EmulatorSettings settings) throws IOException {
        int n = 48;
        float[] a = random(n * n, 4);
        float[] b = random(n * n, 5);
        float[] expected = new float[n * n];
        for (int row = 0; row < n; row++) {
            for (int column = 0; column < n; column++) {
                for (int k = 0; k < n; k++) {
                    expected[row * n + column] += a[row * n + k] * b[k * n + column];
                }
            }
        }
        try (TestDevice device = device(settings)) {
            long c = device.allocate(4 * n * n);
            device.launch("multiply", new int[]{3, 3, 1}, new int[]{16, 16, 1}, 0, device.put(a), device.put(b), c, n);
            assertArrayEquals(expected, device.floats(c, n * n));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("settings")
    void softmaxesRows(String name, EmulatorSettings settings) throws IOException {
        int rows = 5;
        int columns = 77;
        float[] x = random(rows * columns, 6);
        try (TestDevice device = device(settings)) {
            long y = device.allocate(4 * rows * columns);
            device.launch("softmax", rows, 32, device.put(x), y, columns);
            float[] result = device.floats(y, rows * columns);
            for (int row = 0; row < rows; row++) {
                double sum = 0;
                for (int c = 0; c < columns; c++) {
                    sum += Math.exp(x[row * columns + c]);
                }
                for (int c = 0; c < columns; c++) {
                    double expected = Math.exp(x[row * columns + c]) / sum;
                    assertEquals(expected, result[row * columns + c], 1e-6 * expected);
                }
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("settings")
    void mixesWhatThereIs(String name, EmulatorSettings settings) throws IOException {
        int n = 64;
        float[] table = {1, 2.5f, -3, 4, 5};
        long[] x = new long[n];
        for (int i = 0; i < n; i++) {
            // From 1e6 on the argument is reduced by a function of its own.
            x[i] = Double.doubleToRawLongBits(i % 2 == 0 ? 0.37 * i : 1e6 * i * i);
        }
        try (TestDevice device = device(settings)) {
            long y = device.allocate(8 * n);
            long seen = device.put(new int[n]);
            device.launch("mixture", 1, n, device.put(x), y, seen);
            long[] result = device.longs(y, n);
            int[] cases = device.ints(seen, n);
            for (int i = 0; i < n; i++) {
                int k = 3 * i % 8;
                double expected = Math.sin(Double.longBitsToDouble(x[i])) + table[k % 5] + k + (k == i % 8 ? 100 : 0);
                assertEquals(expected, Double.longBitsToDouble(result[i]), 1e-13, "thread " + i);
                int[] each = {i == 0 ? 51 : 10, Integer.bitCount(i), i / 7, i % 7, -i, 0};
                assertEquals(each[i % 6], cases[i], "thread " + i);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("settings")
    void countsBins(String name, EmulatorSettings settings) throws IOException {
        Random random = new Random(7);
        int[] values = random.ints(5000, 0, 64).toArray();
        int[] expected = new int[64];
        for (int value : values) {
            expected[value]++;
        }
        try (TestDevice device = device(settings)) {
            long counts = device.put(new int[64]);
            device.launch("histogram", new int[]{7, 1, 1}, new int[]{64, 1, 1}, 256, device.put(values), counts, 5000);
            assertArrayEquals(expected, device.ints(counts, 64));
        }
    }
}
