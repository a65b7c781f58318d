package io.mixt5.kernels.emulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.kernels.emulator.counters.Counters;
import io.mixt5.kernels.emulator.counters.GlobalTraffic;
import io.mixt5.kernels.emulator.counters.KernelCounters;
import io.mixt5.kernels.emulator.counters.SharedTraffic;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Counters of kernels compiled by nvcc from counted.cu, against figures worked out by hand. */
class CountedKernelsTest {
    private final Counters counters = new Counters();
    private final TestDevice device = new TestDevice(EmulatorSettings.DEFAULT.withMonitor(counters))
            .load(PtxResource.read("counted.ptx"));

    @AfterEach
    void close() {
        device.close();
    }

    private static float[] sequence(int n) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = i;
        }
        return values;
    }

    @Test
    void vectorsAreCoalesced() {
        long out = device.allocate(1024);
        device.launch("copyVectors", 1, 64, device.put(sequence(256)), out);
        assertArrayEquals(sequence(256), device.floats(out, 256));
        KernelCounters counted = counters.kernels().get("copyVectors");
        // Two warps, each 512 bytes there and back.
        assertEquals(new GlobalTraffic(1024, 1024, 1024, 1024, 4, 64, 64), counted.global());
        assertEquals(1, counted.global().movedOverLeast());
        assertEquals(1, counted.activity());
        assertEquals(new SharedTraffic(0, 0, 0), counted.shared());
    }

    @Test
    void columnsAreNot() {
        device.launch("readColumn", 1, 32, device.put(sequence(1024)), device.allocate(128));
        // 32 sectors to read instead of 4, and 4 to write.
        assertEquals(new GlobalTraffic(128, 128, 128, 128, 2, 36, 8), counters.kernels().get("readColumn").global());
    }

    private KernelCounters transpose(String kernel) {
        long out = device.allocate(4096);
        device.launch(kernel, new int[]{1, 1, 1}, new int[]{32, 8, 1}, 0, device.put(sequence(1024)), out);
        float[] transposed = new float[1024];
        for (int i = 0; i < transposed.length; i++) {
            transposed[i] = i % 32 * 32 + i / 32;
        }
        assertArrayEquals(transposed, device.floats(out, 1024));
        KernelCounters counted = counters.kernels().get(kernel);
        // 32 rows there and 32 back.
        assertEquals(new GlobalTraffic(4096, 4096, 4096, 4096, 64, 256, 256), counted.global());
        return counted;
    }

    @Test
    void columnsOfSharedMemoryAreInOneBankUnlessPadded() {
        KernelCounters conflicts = transpose("transposeWithConflicts");
        // 32 rows are written at once each, 32 columns are read word by word.
        assertEquals(new SharedTraffic(8192, 64, 32 + 32 * 32), conflicts.shared());
        assertEquals(16.5, conflicts.shared().ways());
        KernelCounters without = transpose("transposeWithout");
        assertEquals(new SharedTraffic(8192, 64, 64), without.shared());
    }

    @Test
    void branchesDivergeWhereLanesPart() {
        long out = device.put(new float[64]);
        device.launch("writeFirst", 1, 64, out, 20);
        assertEquals(20, IntStream.range(0, 64).filter(i -> device.floats(out, 64)[i] == 1).count());
        KernelCounters counted = counters.kernels().get("writeFirst");
        // The second warp jumps as one.
        assertEquals(2, counted.branches());
        assertEquals(1, counted.divergentBranches());
        assertEquals(new GlobalTraffic(0, 80, 0, 80, 1, 3, 3), counted.global());
    }

    private static int[] halves(float[] values) {
        int[] pairs = new int[values.length / 2];
        for (int i = 0; i < pairs.length; i++) {
            pairs[i] = Float.floatToFloat16(values[2 * i + 1]) << 16 | Float.floatToFloat16(values[2 * i]) & 0xffff;
        }
        return pairs;
    }

    @Test
    void productsOfMatrices() {
        float[] a = new float[16 * 16];
        float[] b = new float[8 * 16];
        for (int i = 0; i < a.length; i++) {
            a[i] = i * 7 % 11 - 5;
        }
        for (int i = 0; i < b.length; i++) {
            b[i] = i * 5 % 13 - 6;
        }
        long d = device.allocate(512);
        device.launch("product", 1, 32, device.put(halves(a)), device.put(halves(b)), d);
        float[] results = device.floats(d, 128);
        for (int lane = 0; lane < 32; lane++) {
            for (int i = 0; i < 4; i++) {
                int row = lane / 4 + i / 2 * 8;
                int column = lane % 4 * 2 + i % 2;
                float sum = 0;
                for (int k = 0; k < 16; k++) {
                    sum += a[16 * row + k] * b[16 * column + k];
                }
                assertEquals(sum, results[i / 2 * 64 + lane * 2 + i % 2]);
            }
        }
        KernelCounters counted = counters.kernels().get("product");
        // A and B come by 16 bytes a lane, D leaves by 8.
        assertEquals(new GlobalTraffic(768, 512, 768, 512, 4, 40, 40), counted.global());
        // Copies come without conflicts: 4 and 2 quarters of a warp. ldmatrix takes 4 and 2 matrices, whose rows are
        // 32 bytes apart, so that the first four are in the same banks as the last four.
        assertEquals(new SharedTraffic(1536, 12, 6 + 2 * 6), counted.shared());
        assertEquals(1, counted.matrixProducts());
        assertEquals(1.0 / counted.warpInstructions(), counted.matrixShare());
        assertEquals(1, counted.divergentBranches());
    }
}
