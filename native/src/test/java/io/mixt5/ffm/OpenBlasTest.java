package io.mixt5.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OpenBlasTest {
    @TempDir
    Path temporary;

    @Test
    void loadsFromTheJarAndSaysSo() {
        assertTrue(OpenBlas.available());
        NativeLibraries.Attempt last = NativeLibraries.attempts(OpenBlas.NAME).getLast();
        assertTrue(last.loaded(), last.toString());
        assertTrue(OpenBlas.config().startsWith("OpenBLAS"), OpenBlas.config());
        assertFalse(OpenBlas.coreName().isEmpty());
        assertTrue(OpenBlas.parallel() >= 0);
        assertTrue(NativeLibraries.attempts().contains(last));
    }

    @Test
    void multiplies() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment a = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 2, 3, 4, 5, 6);
            MemorySegment b = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 0, 2, 1, 0, 3);
            MemorySegment c = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 10, 10, 10, 10);
            OpenBlas.sgemm(false, true, 2, 2, 3, 2, a.address(), 3, b.address(), 3, 1, c.address(), 2);
            // A is 2 x 3, B 2 x 3 transposed.
            float[] expected = {10 + 2 * 7, 10 + 2 * 10, 10 + 2 * 16, 10 + 2 * 22};
            for (int i = 0; i < 4; i++) {
                assertEquals(expected[i], c.getAtIndex(ValueLayout.JAVA_FLOAT, i));
            }
        }
    }

    @Test
    void tellsWhyANamedFileDoesNotServe() throws Exception {
        Path missing = temporary.resolve("missing.so");
        assertTrue(run(missing, false).contains("not loaded from " + missing + " (system property mixt5.openblas): no "
                + "such file"));
        Path text = Files.writeString(temporary.resolve("text.so"), "no library");
        String output = run(text, true);
        assertTrue(output.contains("not loaded from " + text + " (environment variable MIXT5_OPENBLAS): "), output);
        assertTrue(output.contains("false\n"), output);
    }

    @Test
    void refusesALibraryWithoutSgemm() throws Exception {
        String output = run(Path.of("libc.so.6"), false);
        assertTrue(output.contains("the library has no function cblas_sgemm"), output);
    }

    private static String run(Path library, boolean byEnvironment) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        if (!byEnvironment) {
            command.add("-Dmixt5.openblas=" + library);
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), PrintAttempts.class.getName()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        if (byEnvironment) {
            builder.environment().put("MIXT5_OPENBLAS", library.toString());
        }
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output;
    }

    static final class PrintAttempts {
        private PrintAttempts() {
        }

        public static void main(String[] args) {
            System.out.println(OpenBlas.available());
            NativeLibraries.attempts(OpenBlas.NAME).forEach(System.out::println);
        }
    }
}
