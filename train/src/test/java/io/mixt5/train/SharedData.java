package io.mixt5.train;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** The data beside the repository, which is not part of it: {@code ../shared}, or where {@code mixt5.shared} says. */
public final class SharedData {
    private SharedData() {
    }

    /** {@code shared/name}; where it is absent, says so and ends the test as not run. */
    public static Path require(String name) {
        return find(name).orElseGet(() -> Assumptions.abort("not run, for want of shared/" + name));
    }

    /** {@code shared/name}; where it is absent, says that what needs it is not run. */
    public static Optional<Path> find(String name) {
        Path file = directory().resolve(name);
        if (Files.exists(file)) {
            return Optional.of(file);
        }
        System.out.println("not run, for want of shared/" + name);
        return Optional.empty();
    }

    private static Path directory() {
        String given = System.getProperty("mixt5.shared");
        if (given != null) {
            return Path.of(given);
        }
        Path root = Path.of("").toAbsolutePath();
        while (root.getParent() != null && !Files.exists(root.resolve("LICENSE"))) {
            root = root.getParent();
        }
        return root.resolveSibling("shared");
    }
}
