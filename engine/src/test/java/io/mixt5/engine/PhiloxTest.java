package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PhiloxTest {
    private static final long MASK = 0xffffffffL;

    /**
     * Philox4x32-10 as the paper defines it, over the whole counter, of which {@link Philox#bits} leaves two
     * bits at zero.
     */
    private static int[] philox(int[] counter, int[] key) {
        int[] c = counter.clone();
        for (int round = 0; round < 10; round++) {
            long left = 0xD2511F53L * (c[0] & MASK);
            long right = 0xCD9E8D57L * (c[2] & MASK);
            c = new int[]{(int) (right >>> 32) ^ c[1] ^ key[0] + round * 0x9E3779B9, (int) right,
                    (int) (left >>> 32) ^ c[3] ^ key[1] + round * 0xBB67AE85, (int) left};
        }
        return c;
    }

    private static int[] words(String hex) {
        return Arrays.stream(hex.split(" ")).mapToInt(word -> Integer.parseUnsignedInt(word, 16)).toArray();
    }

    /** The vectors that come with Random123, the authors' library (tests/kat_vectors). */
    @Test
    void theDefinitionGivesTheKnownAnswers() {
        assertArrayEquals(words("6627e8d5 e169c58d bc57ac4c 9b00dbd8"), philox(new int[4], new int[2]));
        assertArrayEquals(words("408f276d 41c83b0e a20bc7c6 6d5451fd"),
                philox(words("ffffffff ffffffff ffffffff ffffffff"), words("ffffffff ffffffff")));
        assertArrayEquals(words("d16cfe09 94fdcceb 5001e420 24126ea1"),
                philox(words("243f6a88 85a308d3 13198a2e 03707344"), words("a4093822 299f31d0")));
    }

    @Test
    void zerosGiveTheKnownAnswer() {
        int[] expected = words("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
        for (int i = 0; i < 4; i++) {
            assertEquals(expected[i], Philox.bits(0, 0, 0, i));
        }
    }

    @Test
    void bitsAreTheDefinitions() {
        for (int i = 0; i < 5000; i++) {
            int[] draw = philox(new int[]{i, 0, 0, 0}, new int[2]);
            long index = (draw[0] & MASK) << 31 ^ draw[1] & MASK;
            long seed = (long) draw[2] << 32 | draw[3] & MASK;
            int stream = draw[0] + draw[3];
            int step = draw[1] - draw[2];
            long block = index >>> 2;
            int[] expected = philox(new int[]{(int) block, (int) (block >>> 32), stream, step},
                    new int[]{(int) seed, (int) (seed >>> 32)});
            assertEquals(expected[(int) (index & 3)], Philox.bits(seed, stream, step, index));
        }
    }

    @Test
    void indicesPast32BitsHaveBitsOfTheirOwn() {
        assertNotEquals(Philox.bits(1, 2, 3, 5), Philox.bits(1, 2, 3, (1L << 34) + 5));
    }

    @Test
    void uniformsFillTheirRange() {
        int n = 1 << 17;
        int[] bins = new int[16];
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < n; i++) {
            float u = Philox.uniform(9, 1, 2, i);
            assertTrue(u >= 0 && u < 1, "in [0, 1): " + u);
            bins[(int) (u * 16)]++;
            sum += u;
            squares += (double) u * u;
        }
        // Six standard deviations of each estimate.
        assertEquals(0.5, sum / n, 6 * Math.sqrt(1.0 / 12 / n));
        assertEquals(1.0 / 3, squares / n, 6 * Math.sqrt(4.0 / 45 / n));
        for (int bin : bins) {
            assertEquals(n / 16.0, bin, 6 * Math.sqrt(n / 16.0));
        }
    }

    @Test
    void normalsHaveTheMomentsOfTheNormalDistribution() {
        int n = 1 << 17;
        double[] moments = new double[5];
        double neighbours = 0;
        double before = 0;
        for (int i = 0; i < n; i++) {
            double x = Philox.normal(9, 1, 2, i);
            double power = 1;
            for (int k = 0; k < moments.length; k++, power *= x) {
                moments[k] += power / n;
            }
            neighbours += x * before / n;
            before = x;
        }
        double deviation = 1 / Math.sqrt(n);
        assertEquals(0, moments[1], 6 * deviation);
        assertEquals(1, moments[2], 6 * Math.sqrt(2) * deviation);
        assertEquals(0, moments[3], 6 * Math.sqrt(15) * deviation);
        assertEquals(3, moments[4], 6 * Math.sqrt(96) * deviation);
        assertEquals(0, neighbours, 6 * deviation, "neighbours are not correlated");
    }

    @Test
    void streamsStepsAndSeedsDiffer() {
        int equal = 0;
        for (int i = 0; i < 1000; i++) {
            int bits = Philox.bits(7, 3, 5, i);
            equal += bits == Philox.bits(8, 3, 5, i) ? 1 : 0;
            equal += bits == Philox.bits(7 + (1L << 32), 3, 5, i) ? 1 : 0;
            equal += bits == Philox.bits(7, 4, 5, i) ? 1 : 0;
            equal += bits == Philox.bits(7, 3, 6, i) ? 1 : 0;
        }
        assertEquals(0, equal);
    }
}
