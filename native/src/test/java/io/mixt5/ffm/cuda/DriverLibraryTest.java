package io.mixt5.ffm.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.ffm.NativeLibraries;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is said where there is no driver, in processes of their own, since the library is looked for once in each. */
class DriverLibraryTest {
    @TempDir
    Path temporary;

    @Test
    void tellsWhatToInstall() throws Exception {
        Path missing = temporary.resolve("libcuda.so.1");
        String output = run(missing.toString(), false);
        assertTrue(output.contains("CUDA's driver cannot be opened, " + missing + " (system property mixt5.cuda): no "
                + "such file; install NVIDIA's driver (525 or newer"), output);
        assertTrue(output.contains("CUDA driver not loaded from " + missing + " (system property mixt5.cuda): no such "
                + "file"), output);
    }

    @Test
    void refusesWhatIsNoLibrary() throws Exception {
        Path text = Files.writeString(temporary.resolve("text.so"), "no library");
        String output = run(text.toString(), true);
        assertTrue(output.contains("cannot be opened, " + text + " (environment variable MIXT5_CUDA): "), output);
    }

    @Test
    void refusesALibraryWithoutTheFunctions() throws Exception {
        String output = run("libc.so.6", false);
        assertTrue(output.contains("CUDA's driver in libc.so.6 has no function cuInit: it is too old"), output);
    }

    @Test
    void saysThatThereIsNoDeviceUntilSomebodyStandsIn() throws Exception {
        StandIn.assumeAvailable();
        String output = run(System.getProperty("mixt5.cuda"), false);
        assertTrue(output.contains("does not start, cuInit says CUDA_ERROR_NO_DEVICE; the machine has no NVIDIA GPU"),
                output);
        assertTrue(output.contains("CUDA driver loaded from " + System.getProperty("mixt5.cuda")), output);
    }

    private static String run(String library, boolean byEnvironment) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        if (!byEnvironment) {
            command.add("-Dmixt5.cuda=" + library);
        }
        String classes = Path.of(LibCuda.class.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
        String tests = Path.of(Print.class.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
        command.addAll(List.of("-cp", classes + System.getProperty("path.separator") + tests, Print.class.getName()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().remove("MIXT5_CUDA");
        if (byEnvironment) {
            builder.environment().put("MIXT5_CUDA", library);
        }
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output;
    }

    static final class Print {
        private Print() {
        }

        public static void main(String[] args) {
            System.out.println(LibCuda.unavailable());
            NativeLibraries.attempts(LibCuda.NAME).forEach(System.out::println);
        }
    }
}
