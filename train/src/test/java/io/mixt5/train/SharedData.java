package io.mixt5.train;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** The data beside the repository, which is not part of it: {@code ../shared}, or where {@code mixt5.shared} says. */
public final class SharedData {
    private SharedData() {
    }

    /** {@code shared/name}; where it is absent, says so and ends the test as not run. */
    public static Path require(String name) {
        Path file = directory().resolve(name);
        if (!Files.exists(file)) {
            String message = "not run, for want of shared/" + name;
            System.out.println(message);
            Assumptions.abort(message);
        }
        return file;
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
