package io.mixt5.model.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Assumptions;

/**
 * Test data that is too large, or not ours, to be part of the project: {@code shared} beside the repository, or the
 * directory in the system property {@code mixt5.shared}. Tests that need it are skipped, with a line, where it is
 * absent.
 */
final class SharedFiles {
    private SharedFiles() {
    }

    /** The file at {@code path} below the shared directory; skips the calling test where there is none. */
    static Path file(String path) {
        Path file = directory().resolve(path);
        if (!Files.exists(file)) {
            String message = "Not run: there is no " + file + " (name the shared directory by -Dmixt5.shared)";
            System.out.println(message);
            Assumptions.abort(message);
        }
        return file;
    }

    private static Path directory() {
        String named = System.getProperty("mixt5.shared");
        if (named != null) {
            return Path.of(named);
        }
        Path at = Path.of("").toAbsolutePath();
        while (at.getParent() != null && !Files.exists(at.resolve("LICENSE"))) {
            at = at.getParent();
        }
        return at.resolveSibling("shared");
    }

    /** The JSON in {@code file}. */
    static JsonNode json(Path file) throws Exception {
        return new JsonMapper().readTree(file.toFile());
    }

    /** The integers in the JSON array {@code node}. */
    static int[] ints(JsonNode node) {
        return StreamSupport.stream(node.spliterator(), false)
                .flatMapToInt(n -> IntStream.of(n.intValue()))
                .toArray();
    }
}
