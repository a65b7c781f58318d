package io.mixt5.engine;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Lists the ops by looking into the package {@code io.mixt5.engine.op}, so that no list has to be kept. */
public final class Ops {
    private Ops() {
    }

    /** One instance of every op, in the order of their class names. */
    public static List<Op> all() {
        List<Op> ops = new ArrayList<>();
        for (String name : classNames()) {
            try {
                Class<?> type = Class.forName("io.mixt5.engine.op." + name);
                if (Op.class.isAssignableFrom(type)) {
                    ops.add((Op) type.getDeclaredConstructor().newInstance());
                }
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("the op " + name + " has no constructor without arguments", e);
            }
        }
        return ops;
    }

    private static List<String> classNames() {
        try {
            URI code = Ops.class.getProtectionDomain().getCodeSource().getLocation().toURI();
            Path path = Path.of(code);
            if (Files.isDirectory(path)) {
                return classNames(path.resolve("io/mixt5/engine/op"));
            }
            try (FileSystem jar = FileSystems.newFileSystem(path, Map.of())) {
                return classNames(jar.getPath("io/mixt5/engine/op"));
            }
        } catch (IOException | URISyntaxException e) {
            throw new IllegalStateException("cannot list the classes of io.mixt5.engine.op", e);
        }
    }

    private static List<String> classNames(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(file -> file.endsWith(".class") && !file.contains("$"))
                    .map(file -> file.substring(0, file.length() - ".class".length())).sorted().toList();
        }
    }
}
