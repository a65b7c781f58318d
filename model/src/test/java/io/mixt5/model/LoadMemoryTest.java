package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Device;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * What loading takes: the peak of a fresh JVM's resident memory (VmHWM, which counts mapped pages of files too) beside that of one
 * that loads nothing but a tiny model. {@code -Dmixt5.memory.blocks=12} loads T5-v1.1-base, 990 MB.
 */
@EnabledOnOs(value = OS.LINUX, disabledReason = "not run: the peak of resident memory is known on Linux only")
class LoadMemoryTest {
    private static final int BLOCKS = Integer.getInteger("mixt5.memory.blocks", 1);
    private static final double MOST = 1.15;

    @TempDir
    private Path directory;
    private LargeCheckpoint checkpoint;

    @BeforeEach
    void writeConfig() {
        checkpoint = new LargeCheckpoint(directory, BLOCKS);
    }

    @Test
    void safetensors() throws Exception {
        check("safetensors", checkpoint.writeSafetensors("F32", 4));
    }

    @Test
    void halfSafetensors() throws Exception {
        check("safetensors in BF16", checkpoint.writeSafetensors("BF16", 2));
    }

    @Test
    void torch() throws Exception {
        check("pytorch_model.bin", checkpoint.writeTorch());
    }

    /** The F32 weights themselves are {@code checkpoint.bytes()}, whatever type the file has. */
    private void check(String what, Path file) throws Exception {
        Path tiny = ModelGoldens.ofProject("tiny-t5-v1_1", directory.resolve("tiny")).directory();
        long own = peak(tiny);
        long loaded = peak(directory);
        double times = (double) (loaded - own) / checkpoint.bytes();
        System.out.printf(
                "loading %s of %,d bytes: %,d bytes of resident memory beyond the JVM's %,d, %.3f times the weights%n",
                what, Files.size(file), loaded - own, own, times);
        assertTrue(times > 0.9 && times <= MOST, what + ": " + times);
    }

    /** The peak, in bytes, of a JVM that loads {@code model}. */
    private static long peak(Path model) throws Exception {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m", "-XX:MaxDirectMemorySize=4g", "-XX:+UseSerialGC", "--add-modules", "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                LoadMemoryTest.class.getName(), model.toString()).redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return 1024 * Long.parseLong(output.lines().filter(line -> line.startsWith("VmHWM:")).findFirst().orElseThrow()
                .replaceAll("\\D", ""));
    }

    /** Loads the model in the directory given and prints what Linux says of this process. */
    public static void main(String[] args) throws IOException {
        T5Model.load(Path.of(args[0]), Device.of("reference")).close();
        System.out.println(Files.readString(Path.of("/proc/self/status")));
    }
}
