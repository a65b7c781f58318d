package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is found by looking around: ops in a directory or a jar, backends by their service files. */
class OpsTest {
    private static final List<String> NAMES = Ops.all().stream().map(Op::name).toList();

    /** A backend that cannot run, for {@link #aBackendThatCannotRunSaysWhy}. */
    public static final class BrokenBackend extends HostMemory {
        @Override
        public String name() {
            return "broken";
        }

        @Override
        public String unavailable() {
            return "its library is missing; install it";
        }

        @Override
        public <K extends Kernel> K kernel(Class<K> type) {
            throw new UnsupportedOperationException();
        }
    }

    @Test
    void everyOpIsFound() {
        for (String name : List.of("rms_norm", "linear", "gated_gelu", "relu", "cross_entropy", "embedding",
                "attention",
                "adamw", "adafactor", "grad_norm", "top_k", "add", "scale", "cast", "dropout_add", "write_rows")) {
            assertTrue(NAMES.contains(name), name + " is not among " + NAMES);
        }
        assertEquals(NAMES.size(), NAMES.stream().distinct().count(), "names are distinct");
        assertTrue(NAMES.stream().allMatch(name -> name.matches("[a-z][a-z0-9_]*")), "names are in snake_case");
    }

    @Test
    void opsComeInTheOrderOfTheirClasses() {
        List<String> classes = Ops.all().stream().map(op -> op.getClass().getSimpleName()).toList();
        assertEquals(classes.stream().sorted().toList(), classes);
    }

    @Test
    void anOpsKernelIsNestedInIt() {
        for (Op op : Ops.all()) {
            assertSame(op.getClass(), op.kernelType().getEnclosingClass(), op.name());
        }
    }

    @Test
    void casesOfAnOpHaveNamesOfTheirOwn() {
        for (Op op : Ops.all()) {
            assertFalse(op.cases().isEmpty(), op.name());
            assertEquals(op.cases().size(), op.cases().stream().map(OpCase::name).distinct().count(), op.name());
        }
    }

    @Test
    void opsAreFoundInAJar(@TempDir Path directory) throws Exception {
        Path jar = directory.resolve("an engine.jar");
        pack(codeOf(Ops.class), jar);
        try (URLClassLoader loader = new URLClassLoader(new URL[]{jar.toUri().toURL()}, platform())) {
            Class<?> ops = loader.loadClass(Ops.class.getName());
            assertFalse(ops == Ops.class);
            List<?> found = (List<?>) ops.getMethod("all").invoke(null);
            assertEquals(NAMES.size(), found.size());
        }
    }

    @Test
    void aBackendThatCannotRunSaysWhy(@TempDir Path directory) throws Exception {
        Path services = Files.createDirectories(directory.resolve("META-INF/services"));
        Files.writeString(services.resolve(Backend.class.getName()), BrokenBackend.class.getName() + "\n");
        URL[] path = {codeOf(Ops.class).toUri().toURL(), codeOf(OpsTest.class).toUri().toURL(),
                directory.toUri().toURL()};
        try (URLClassLoader loader = new URLClassLoader(path, platform())) {
            Class<?> device = loader.loadClass(Device.class.getName());
            assertEquals("device 'broken' cannot be used: its library is missing; install it",
                    refusal(device, "broken"));
            assertEquals("there is no device 'other'; choose one of reference, broken", refusal(device, "other"));
        }
    }

    private static String refusal(Class<?> device, String name) {
        var error = assertThrows(InvocationTargetException.class,
                () -> device.getMethod("of", String.class).invoke(null, name));
        assertInstanceOf(RuntimeException.class, error.getCause());
        assertEquals(UserException.class.getName(), error.getCause().getClass().getName());
        return error.getCause().getMessage();
    }

    private static ClassLoader platform() {
        return ClassLoader.getPlatformClassLoader();
    }

    private static Path codeOf(Class<?> type) throws Exception {
        URI location = type.getProtectionDomain().getCodeSource().getLocation().toURI();
        return Path.of(location);
    }

    /** Copies a directory (or a jar, when the tests run from one) into a jar. */
    private static void pack(Path code, Path jar) throws IOException {
        if (!Files.isDirectory(code)) {
            Files.copy(code, jar);
            return;
        }
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
                Stream<Path> files = Files.walk(code)) {
            files.filter(Files::isRegularFile).sorted().forEach(file -> add(out, code.relativize(file), file));
        }
    }

    private static void add(JarOutputStream out, Path name, Path file) {
        try {
            out.putNextEntry(new JarEntry(name.toString().replace('\\', '/')));
            Files.copy(file, out);
            out.closeEntry();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
