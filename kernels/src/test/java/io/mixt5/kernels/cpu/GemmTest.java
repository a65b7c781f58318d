package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.mixt5.ffm.OpenBlas;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class GemmTest {
    /** OpenBLAS too where it loads: on the platforms for which its jar is on the class path it must. */
    static final Gemm[] GEMMS = Stream.of(new VectorGemm(), OpenBlas.available() ? new BlasGemm() : null)
            .filter(gemm -> gemm != null).toArray(Gemm[]::new);

    @Test
    void openBlasLoads() {
        assertTrue(OpenBlas.available());
    }

    @ParameterizedTest
    @FieldSource("GEMMS")
    void smallProductsOfEveryShape(Gemm gemm) {
        Random random = new Random(1);
        for (int i = 0; i < 600; i++) {
            try (Product product = Product.random(random, 1 + random.nextInt(50), 1 + random.nextInt(80),
                    1 + random.nextInt(70))) {
                product.check(gemm, i % 2 == 0);
            }
        }
    }

    @ParameterizedTest
    @FieldSource("GEMMS")
    void fewRowsOrColumns(Gemm gemm) {
        Random random = new Random(2);
        for (int i = 0; i < 200; i++) {
            int few = 1 + random.nextInt(17);
            int many = 1 + random.nextInt(700);
            int k = 1 + random.nextInt(300);
            try (Product product = i % 2 == 0
                    ? Product.random(random, few, many, k)
                    : Product.random(random, many, few, k)) {
                product.check(gemm, i % 4 < 2);
            }
        }
    }

    @ParameterizedTest
    @FieldSource("GEMMS")
    void productsOfManySlicesBlocksAndChunks(Gemm gemm) {
        Random random = new Random(3);
        int[][] shapes = {{300, 200, 513}, {90, 700, 1600}, {700, 90, 1600}, {33, 34, 70_000}, {600, 600, 4000}};
        for (int[] shape : shapes) {
            try (Product product = Product.random(random, shape[0], shape[1], shape[2])) {
                product.check(gemm, true);
                product.check(gemm, false);
            }
        }
    }

    @ParameterizedTest
    @FieldSource("GEMMS")
    void emptySizes(Gemm gemm) {
        Random random = new Random(4);
        for (int zero = 0; zero < 7; zero++) {
            for (float beta : new float[]{0, 1, 0.5f}) {
                for (boolean transB : new boolean[]{false, true}) {
                    int m = (zero + 1 & 1) == 0 ? 0 : 5;
                    int n = (zero + 1 & 2) == 0 ? 0 : 6;
                    int k = (zero + 1 & 4) == 0 ? 0 : 7;
                    try (Product product = new Product(random, false, transB, m, n, k, 1, beta, 2)) {
                        product.check(gemm, true);
                        product.check(gemm, false);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @FieldSource("GEMMS")
    void alphaZeroReadsNeitherOperand(Gemm gemm) {
        Random random = new Random(5);
        for (float beta : new float[]{0, 1, -2}) {
            try (Product product = new Product(random, true, false, 20, 40, 30, 0, beta, 1)) {
                product.poisonOperands();
                product.check(gemm, true);
                product.check(gemm, false);
            }
        }
    }

    @ParameterizedTest
    @FieldSource("GEMMS")
    void oneThreadOrManyGiveTheSameBits(Gemm gemm) {
        Random random = new Random(6);
        int[][] shapes = {{1, 3000, 512}, {7, 900, 300}, {20, 2000, 600}, {600, 500, 400}, {384, 512, 2000}};
        for (int[] shape : shapes) {
            for (int i = 0; i < 4; i++) {
                try (Product product = new Product(random, (i & 1) != 0, (i & 2) != 0, shape[0], shape[1], shape[2], 1,
                        i % 2, 0)) {
                    float[] parallel = product.run(gemm, true);
                    AtomicReference<float[]> alone = new AtomicReference<>();
                    WorkerPool.forEach(1, (task, worker) -> alone.set(product.run(gemm, true)));
                    assertSameBits(parallel, alone.get());
                }
            }
        }
    }

    @Test
    void ourParallelProductEqualsTheSingleOne() {
        Random random = new Random(7);
        for (int i = 0; i < 60; i++) {
            try (Product product = Product.random(random, 1 + random.nextInt(400), 1 + random.nextInt(400),
                    1 + random.nextInt(1200))) {
                assertSameBits(product.run(new VectorGemm(), false), product.run(new VectorGemm(), true));
            }
        }
    }

    @Test
    void aRowsBitsDoNotDependOnTheOthers() {
        Random random = new Random(8);
        for (boolean transB : new boolean[]{false, true}) {
            try (Product whole = new Product(random, false, transB, 137, 90, 1100, 1, 0, 0)) {
                float[] all = whole.run(new VectorGemm(), false);
                for (int rows : new int[]{DotProducts.MOST_ROWS + 1, 33, 64, 100}) {
                    float[] part = whole.firstRows(rows).run(new VectorGemm(), false);
                    for (int i = 0; i < rows * 90; i++) {
                        assertEquals(all[i], part[i], "row " + i / 90 + " of " + rows);
                    }
                }
            }
        }
    }

    /** How many blocks a product by OpenBLAS is cut into depends on the number of threads; its bits must not. */
    @Test
    void blocksOfBlasGiveTheBitsOfTheWhole() {
        assumeTrue(OpenBlas.available() && Lanes.FLOATS == 8,
                "without OpenBLAS and AVX2, with which it is the default, its blocks are not compared");
        Random random = new Random(9);
        for (boolean transB : new boolean[]{false, true}) {
            for (int k : new int[]{64, 500, 1024, 3000}) {
                try (Product whole = new Product(random, false, transB, 643, 517, k, 1, 0, 0)) {
                    float[] all = whole.run(new BlasGemm(), false);
                    for (int rows : new int[]{96, 192, 480}) {
                        float[] part = whole.firstRows(rows).run(new BlasGemm(), false);
                        for (int i = 0; i < rows * 517; i++) {
                            assertEquals(all[i], part[i], "row " + i / 517 + " of " + rows + ", k " + k);
                        }
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @FieldSource("GEMMS")
    void manyThreadsAtOnce(Gemm gemm) throws InterruptedException {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Runnable work = () -> WorkerPool.forEach(24, (task, worker) -> {
            Random random = new Random(task);
            try (Product product = Product.random(random, 1 + random.nextInt(100), 1 + random.nextInt(100),
                    1 + random.nextInt(100))) {
                product.check(gemm, task % 2 == 0);
            }
        });
        Thread[] threads = new Thread[3];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = Thread.ofPlatform().unstarted(i == 0 ? work : () -> smallProductsOfEveryShape(gemm));
            threads[i].setUncaughtExceptionHandler((thread, e) -> failure.set(e));
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        if (failure.get() != null) {
            throw new AssertionError(failure.get());
        }
    }

    private static void assertSameBits(float[] expected, float[] actual) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(Float.floatToRawIntBits(expected[i]), Float.floatToRawIntBits(actual[i]), "element " + i);
        }
    }
}
