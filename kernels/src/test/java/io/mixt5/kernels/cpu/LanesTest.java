package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.UserException;
import org.junit.jupiter.api.Test;

class LanesTest {
    @Test
    void speciesAreOfOneWidth() {
        assertEquals(Lanes.FLOATS, Lanes.F.length());
        assertEquals(Lanes.FLOATS, Lanes.I.length());
        assertEquals(Lanes.FLOATS, 2 * Lanes.L.length());
    }

    @Test
    void takesTheWidthFromTheProperty() throws Exception {
        for (int bits : new int[]{128, 256, 512}) {
            assertEquals(String.valueOf(bits / 32), run(String.valueOf(bits)));
        }
        String wrong = run("64");
        assertTrue(wrong.contains("System property mixt5.vectorBits is '64'"), wrong);
    }

    private static String run(String bits) throws Exception {
        return Jvm.run(PrintFloats.class, "-Dmixt5.vectorBits=" + bits).strip();
    }

    static final class PrintFloats {
        private PrintFloats() {
        }

        public static void main(String[] args) {
            try {
                System.out.println(Lanes.FLOATS);
            } catch (ExceptionInInitializerError e) {
                System.out.println(((UserException) e.getCause()).getMessage());
            }
        }
    }
}
