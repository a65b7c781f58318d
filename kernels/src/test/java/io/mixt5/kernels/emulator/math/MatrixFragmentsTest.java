package io.mixt5.kernels.emulator.math;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Matrices are put into fragments here by the tables of the PTX ISA, written out anew for each shape, and products
 * compared with plain ones.
 */
class MatrixFragmentsTest {
    private final Random random = new Random(6);

    private static int half(Format format, float value) {
        return format == Format.F16 ? Float.floatToFloat16(value) & 0xffff : Float.floatToRawIntBits(value) >>> 16;
    }

    /** Small integers over 8: sums of their products are exact in all formats concerned. */
    private float[][] matrix(int rows, int columns) {
        float[][] matrix = new float[rows][columns];
        for (float[] row : matrix) {
            for (int i = 0; i < columns; i++) {
                row[i] = random.nextInt(-8, 9) / 8f;
            }
        }
        return matrix;
    }

    private static float[][] product(float[][] a, float[][] b, float[][] c) {
        float[][] d = new float[a.length][b[0].length];
        for (int i = 0; i < d.length; i++) {
            for (int j = 0; j < d[i].length; j++) {
                d[i][j] = c[i][j];
                for (int k = 0; k < b.length; k++) {
                    d[i][j] += a[i][k] * b[k][j];
                }
            }
        }
        return d;
    }

    private static int[][] packHalves(Format format, float[][][] elements) {
        int[][] registers = new int[elements.length][32];
        for (int r = 0; r < elements.length; r++) {
            for (int lane = 0; lane < 32; lane++) {
                float[] pair = elements[r][lane];
                registers[r][lane] = half(format, pair[1]) << 16 | half(format, pair[0]);
            }
        }
        return registers;
    }

    private void check16(MatrixShape shape, Format format, boolean halfAccumulator) {
        int k = shape.k();
        float[][] a = matrix(16, k);
        float[][] b = matrix(k, 8);
        float[][] c = matrix(16, 8);
        float[][][] fragmentA = new float[k / 4][32][];
        float[][][] fragmentB = new float[k / 8][32][];
        float[][][] fragmentC = new float[2][32][];
        for (int lane = 0; lane < 32; lane++) {
            int group = lane >> 2;
            int t = 2 * (lane & 3);
            fragmentA[0][lane] = new float[]{a[group][t], a[group][t + 1]};
            fragmentA[1][lane] = new float[]{a[group + 8][t], a[group + 8][t + 1]};
            fragmentB[0][lane] = new float[]{b[t][group], b[t + 1][group]};
            if (k == 16) {
                fragmentA[2][lane] = new float[]{a[group][t + 8], a[group][t + 9]};
                fragmentA[3][lane] = new float[]{a[group + 8][t + 8], a[group + 8][t + 9]};
                fragmentB[1][lane] = new float[]{b[t + 8][group], b[t + 9][group]};
            }
            fragmentC[0][lane] = new float[]{c[group][t], c[group][t + 1]};
            fragmentC[1][lane] = new float[]{c[group + 8][t], c[group + 8][t + 1]};
        }
        MatrixFragments fragments = new MatrixFragments(shape, format, halfAccumulator);
        int[][] registersA = packHalves(format, fragmentA);
        int[][] registersB = packHalves(format, fragmentB);
        assertEquals(registersA.length, shape.registersA());
        assertEquals(registersB.length, shape.registersB());
        float[][] expected = product(a, b, c);
        if (halfAccumulator) {
            int[][] d = packHalves(Format.F16, fragmentC);
            assertEquals(2, fragments.registersC());
            fragments.multiply(d, registersA, registersB, d);
            for (int lane = 0; lane < 32; lane++) {
                int group = lane >> 2;
                int t = 2 * (lane & 3);
                assertEquals(half(format, expected[group][t + 1]) << 16 | half(format, expected[group][t]), d[0][lane]);
                assertEquals(half(format, expected[group + 8][t + 1]) << 16 | half(format, expected[group + 8][t]),
                        d[1][lane]);
            }
        } else {
            checkFloats(fragments, registersA, registersB, c, expected);
        }
    }

    private static void checkFloats(MatrixFragments fragments, int[][] a, int[][] b, float[][] c, float[][] expected) {
        int[][] registers = new int[4][32];
        for (int lane = 0; lane < 32; lane++) {
            for (int i = 0; i < 4; i++) {
                registers[i][lane] = Float
                        .floatToRawIntBits(c[(lane >> 2) + (i > 1 ? 8 : 0)][2 * (lane & 3) + (i & 1)]);
            }
        }
        assertEquals(4, fragments.registersC());
        int[][] d = new int[4][32];
        fragments.multiply(d, a, b, registers);
        for (int lane = 0; lane < 32; lane++) {
            for (int i = 0; i < 4; i++) {
                assertEquals(expected[(lane >> 2) + (i > 1 ? 8 : 0)][2 * (lane & 3) + (i & 1)],
                        Float.intBitsToFloat(d[i][lane]), "lane " + lane + ", register " + i);
            }
        }
    }

    @Test
    void productsOfHalves() {
        check16(MatrixShape.K8, Format.F16, false);
        check16(MatrixShape.K16, Format.F16, false);
        check16(MatrixShape.K8, Format.F16, true);
        check16(MatrixShape.K16, Format.F16, true);
    }

    @Test
    void productsOfBfloats() {
        check16(MatrixShape.K8, Format.BF16, false);
        check16(MatrixShape.K16, Format.BF16, false);
    }

    @Test
    void productsOfTf32() {
        for (MatrixShape shape : new MatrixShape[]{MatrixShape.TF32_K4, MatrixShape.TF32_K8}) {
            int k = shape.k();
            float[][] a = matrix(16, k);
            float[][] b = matrix(k, 8);
            float[][] c = matrix(16, 8);
            int[][] registersA = new int[k / 2][32];
            int[][] registersB = new int[k / 4][32];
            for (int lane = 0; lane < 32; lane++) {
                int group = lane >> 2;
                int t = lane & 3;
                // A GPU ignores the last 13 bits.
                int ignored = random.nextInt(1 << 13);
                registersA[0][lane] = Float.floatToRawIntBits(a[group][t]) | ignored;
                registersA[1][lane] = Float.floatToRawIntBits(a[group + 8][t]) | ignored;
                registersB[0][lane] = Float.floatToRawIntBits(b[t][group]) | ignored;
                if (k == 8) {
                    registersA[2][lane] = Float.floatToRawIntBits(a[group][t + 4]);
                    registersA[3][lane] = Float.floatToRawIntBits(a[group + 8][t + 4]);
                    registersB[1][lane] = Float.floatToRawIntBits(b[t + 4][group]);
                }
            }
            assertEquals(registersA.length, shape.registersA());
            assertEquals(registersB.length, shape.registersB());
            checkFloats(new MatrixFragments(shape, Format.TF32, false), registersA, registersB, c, product(a, b, c));
        }
    }

    /** 2^24 + 1 - 2^24: a float would lose the 1. */
    @Test
    void sumsAreRoundedOnce() {
        int[][] a = new int[2][32];
        int[][] b = new int[1][32];
        int[][] c = new int[4][32];
        // Row 0 of A is 2^12, 1, -2^12, ...; column 0 of B is 2^12, 1, 2^12, ...
        a[0][0] = half(Format.F16, 1) << 16 | half(Format.F16, 4096);
        a[0][1] = half(Format.F16, -4096);
        b[0][0] = a[0][0];
        b[0][1] = half(Format.F16, 4096);
        new MatrixFragments(MatrixShape.K8, Format.F16, false).multiply(c, a, b, c);
        assertEquals(1, Float.intBitsToFloat(c[0][0]));
        assertEquals(0, c[1][0]);
    }

    @Test
    void nanIsCanonical() {
        int[][] a = new int[2][32];
        int[][] c = new int[4][32];
        a[0][4] = 0xfc01;
        new MatrixFragments(MatrixShape.K8, Format.F16, false).multiply(c, a, new int[1][32], c);
        assertArrayEquals(new int[]{Floats.NAN, Floats.NAN, Floats.NAN, Floats.NAN},
                new int[]{c[0][4], c[1][4], c[0][7], c[1][7]});
        assertEquals(0, c[0][0]);
        assertEquals(0, c[2][4]);
    }

    @Test
    void onlyKnownProductsAreMade() {
        assertThrows(IllegalArgumentException.class,
                () -> new MatrixFragments(MatrixShape.K16, Format.BF16, true));
        assertThrows(IllegalArgumentException.class,
                () -> new MatrixFragments(MatrixShape.K16, Format.TF32, false));
        assertThrows(IllegalArgumentException.class,
                () -> new MatrixFragments(MatrixShape.TF32_K8, Format.F16, false));
    }

    @Test
    void matricesAreLoadedAsTheyAreOrTransposed() {
        int[] rows = new int[32];
        for (int row = 0; row < 8; row++) {
            for (int column = 0; column < 8; column++) {
                rows[row * 4 + column / 2] |= (row * 16 + column) << column % 2 * 16;
            }
        }
        int[] plain = new int[32];
        int[] transposed = new int[32];
        MatrixFragments.loadMatrix(rows, false, plain);
        MatrixFragments.loadMatrix(rows, true, transposed);
        for (int lane = 0; lane < 32; lane++) {
            int outer = lane / 4;
            int inner = lane % 4 * 2;
            assertEquals(outer * 16 + inner + 1 << 16 | outer * 16 + inner, plain[lane]);
            assertEquals((inner + 1) * 16 + outer << 16 | inner * 16 + outer, transposed[lane]);
        }
    }
}
