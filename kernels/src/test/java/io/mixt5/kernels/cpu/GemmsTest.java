package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.UserException;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

/** What is fixed once per process, each in one of its own. */
class GemmsTest {
    private static final String NO_BLAS = "-Dmixt5.openblas=/nowhere/libopenblas.so";

    @Test
    void choosesByTheWidthOfVectors() throws Exception {
        assertTrue(run("-Dmixt5.vectorBits=512").contains("VectorGemm"));
        assertTrue(run("-Dmixt5.vectorBits=256").contains("BlasGemm"));
    }

    @Test
    void doesAsItIsTold() throws Exception {
        assertTrue(run("-Dmixt5.gemm=vector", "-Dmixt5.vectorBits=256").contains("VectorGemm"));
        assertTrue(run("-Dmixt5.gemm=blas", "-Dmixt5.vectorBits=512").contains("BlasGemm"));
        String wrong = run("-Dmixt5.gemm=mkl");
        assertTrue(wrong.contains("System property mixt5.gemm is 'mkl'"), wrong);
    }

    @Test
    void warnsOnceWithoutOpenBlas() throws Exception {
        String output = run(NO_BLAS, "-Dmixt5.vectorBits=256");
        assertTrue(output.contains("VectorGemm"), output);
        assertEquals(2, output.split("OpenBLAS does not load", -1).length, output);
        assertTrue(output.contains("/nowhere/libopenblas.so") && output.contains("no such file"), output);
    }

    @Test
    void refusesToGoWithoutOpenBlasWhenItWasAskedFor() throws Exception {
        String output = run(NO_BLAS, "-Dmixt5.gemm=blas");
        assertTrue(output.contains("asks for OpenBLAS, which does not load"), output);
    }

    @Test
    void bitsDependNeitherOnThreadsNorOnOurVectorsWidth() throws Exception {
        String expected = run("-Dmixt5.gemm=vector", "-Dmixt5.threads=1");
        assertTrue(expected.matches("(?s).*crc [0-9a-f]+\n.*"), expected);
        assertEquals(crc(expected), crc(run("-Dmixt5.gemm=vector", "-Dmixt5.threads=3", "-Dmixt5.vectorBits=256")));
    }

    @Test
    void openBlasBitsDoNotDependOnThreads() throws Exception {
        String one = run("-Dmixt5.gemm=blas", "-Dmixt5.vectorBits=256", "-Dmixt5.threads=1");
        assertTrue(one.matches("(?s).*crc [0-9a-f]+\n.*"), one);
        for (int threads = 2; threads <= 5; threads += 3) {
            assertEquals(crc(one), crc(run("-Dmixt5.gemm=blas", "-Dmixt5.vectorBits=256",
                    "-Dmixt5.threads=" + threads)));
        }
    }

    private static String run(String... options) throws Exception {
        return Jvm.run(PrintProduct.class, options);
    }

    private static String crc(String output) {
        return output.substring(output.indexOf("crc "));
    }

    static final class PrintProduct {
        private PrintProduct() {
        }

        public static void main(String[] args) {
            try {
                Gemm gemm = Gemms.gemm();
                System.out.println(gemm.getClass().getSimpleName() + " " + gemm.description());
                CRC32 crc = new CRC32();
                Random random = new Random(1);
                int[][] shapes = {{150, 170, 600}, {1100, 210, 130}, {70, 1300, 190}};
                for (int i = 0; i < 4 * shapes.length; i++) {
                    int[] shape = shapes[i / 4];
                    try (Product product = new Product(random, (i & 1) != 0, (i & 2) != 0, shape[0], shape[1],
                            shape[2], 1, 0, 0)) {
                        for (float value : product.run(gemm, true)) {
                            crc.update(Float.floatToRawIntBits(value));
                            crc.update(Float.floatToRawIntBits(value) >>> 16);
                        }
                    }
                }
                System.out.println("crc " + Long.toHexString(crc.getValue()));
            } catch (ExceptionInInitializerError e) {
                System.out.println(((UserException) e.getCause()).getMessage());
            }
        }
    }
}
