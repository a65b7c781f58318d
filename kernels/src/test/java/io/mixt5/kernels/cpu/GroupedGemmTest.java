package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Products side by side: right ones, and the same bits however many threads there are. */
class GroupedGemmTest {
    private static final int[] DEPTHS = {0, 300, 1, 33};
    private static final int M = 150;
    private static final int N = 210;

    @Test
    void everyProductIsRight() {
        try (Arena arena = Arena.ofConfined()) {
            for (int transpositions = 0; transpositions < 4; transpositions++) {
                Products products = new Products(arena, (transpositions & 1) != 0, (transpositions & 2) != 0);
                products.run(0);
                for (int p = 0; p < DEPTHS.length; p++) {
                    products.check(p, 1);
                }
                products.run(1);
                for (int p = 0; p < DEPTHS.length; p++) {
                    products.check(p, 2);
                }
            }
        }
    }

    @Test
    void oneThreadGivesTheSameBits() {
        try (Arena arena = Arena.ofConfined()) {
            Products products = new Products(arena, false, true);
            products.run(0);
            float[] parallel = products.results();
            // Within a task, the pool runs inner tasks on the task's thread.
            WorkerPool.forEach(1, (task, worker) -> products.run(0));
            assertArrayEquals(parallel, products.results());
        }
    }

    @Test
    void cutsDoNotShowInTheBits() {
        int m = 1000;
        int n = 70;
        int k = 90;
        Random random = new Random(5);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment a = random(arena, random, m * k);
            MemorySegment b = random(arena, random, n * k);
            MemorySegment whole = arena.allocate(4L * m * n);
            MemorySegment cut = arena.allocate(4L * m * n);
            Gemms.gemm().sgemm(false, true, m, n, k, 1, a.address(), k, b.address(), k, 0, whole.address(), n);
            GroupedGemm products = new GroupedGemm(false, true);
            products.add(m, n, k, a.address(), k, b.address(), k, 0, cut.address(), n);
            products.run();
            assertEquals(-1, whole.mismatch(cut));
        }
    }

    private static MemorySegment random(Arena arena, Random random, int count) {
        MemorySegment values = arena.allocate(4L * count, 4);
        for (int i = 0; i < count; i++) {
            values.setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat());
        }
        return values;
    }

    @Test
    void productsWithoutRowsOrColumnsTouchNothing() {
        GroupedGemm products = new GroupedGemm(false, true);
        products.add(0, 5, 7, 0, 7, 0, 7, 0, 0, 5);
        products.add(5, 0, 7, 0, 7, 0, 7, 0, 0, 1);
        products.run();
    }

    /** Products that differ in depth, with C starting out as NaNs. */
    private static final class Products {
        private final boolean transA;
        private final boolean transB;
        private final MemorySegment[] a = new MemorySegment[DEPTHS.length];
        private final MemorySegment[] b = new MemorySegment[DEPTHS.length];
        private final MemorySegment c;

        Products(Arena arena, boolean transA, boolean transB) {
            this.transA = transA;
            this.transB = transB;
            Random random = new Random(3);
            for (int p = 0; p < DEPTHS.length; p++) {
                a[p] = normal(arena, random, M * DEPTHS[p]);
                b[p] = normal(arena, random, N * DEPTHS[p]);
            }
            c = normal(arena, random, M * N * DEPTHS.length);
            c.fill((byte) -1);
        }

        private static MemorySegment normal(Arena arena, Random random, int count) {
            MemorySegment values = arena.allocate(Math.max(4, 4L * count), 64);
            for (int i = 0; i < count; i++) {
                values.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
            }
            return values;
        }

        void run(float beta) {
            GroupedGemm products = new GroupedGemm(transA, transB);
            for (int p = 0; p < DEPTHS.length; p++) {
                int k = Math.max(1, DEPTHS[p]);
                products.add(M, N, DEPTHS[p], a[p].address(), transA ? M : k, b[p].address(), transB ? k : N, beta,
                        c.address() + 4L * M * N * p, N);
            }
            products.run();
        }

        /** C is {@code times} the product. */
        void check(int p, int times) {
            int k = DEPTHS[p];
            for (int i = 0; i < M; i += 7) {
                for (int j = 0; j < N; j++) {
                    double sum = 0;
                    for (int s = 0; s < k; s++) {
                        float left = Memory.getFloat(a[p].address() + 4L * (transA ? s * M + i : i * k + s));
                        float right = Memory.getFloat(b[p].address() + 4L * (transB ? j * k + s : s * N + j));
                        sum += (double) left * right;
                    }
                    float actual = Memory.getFloat(c.address() + 4L * ((p * M + i) * N + j));
                    assertEquals(times * sum, actual, 1e-3, "product " + p + " row " + i + " column " + j);
                }
            }
        }

        float[] results() {
            return c.toArray(ValueLayout.JAVA_FLOAT);
        }
    }
}
