package io.mixt5.train.roundtrip;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A Python with transformers: the one that {@code MIXT5_PYTHON} names, or {@code python3} where it has it. */
final class TransformersPython {
    private static final String VARIABLE = "MIXT5_PYTHON";
    private static final Path SCRIPT = Path.of("src/test/python/check_roundtrip.py");
    private static final long PATIENCE_MINUTES = 10;

    private final String python;

    private TransformersPython(String python) {
        this.python = python;
    }

    /** The Python, or, after saying so, none. */
    static Optional<TransformersPython> find() {
        String named = System.getenv(VARIABLE);
        String python = named == null ? "python3" : named;
        String check = "import importlib.util as u, sys; "
                + "sys.exit(not all(map(u.find_spec, ('torch', 'transformers', 'sentencepiece', 'google.protobuf'))))";
        try {
            Process process = new ProcessBuilder(python, "-c", check).redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            if (process.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES) && process.exitValue() == 0) {
                return Optional.of(new TransformersPython(python));
            }
        } catch (IOException e) {
            // Said below.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        assertTrue(named == null,
                VARIABLE + " is " + named + ", which lacks torch, transformers, sentencepiece or protobuf");
        System.out.println("""
                ================================================================================
                NOT RUN: the round trips through transformers, as python3 lacks torch,
                transformers, sentencepiece or protobuf. Name a Python that has them in MIXT5_PYTHON;
                check_roundtrip.py says which versions. The committed numbers are compared.
                ================================================================================""");
        return Optional.empty();
    }

    /** What check_roundtrip.py prints with these arguments, by the directories' names. */
    Map<String, JsonNode> run(Path scratch, List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(python, SCRIPT.toString()));
        command.addAll(arguments);
        Path out = scratch.resolve("python.out");
        Path err = scratch.resolve("python.err");
        Process process = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile()).start();
        assertTrue(process.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES), "Python has not ended");
        assertEquals(0, process.exitValue(), () -> text(err));
        Map<String, JsonNode> results = new LinkedHashMap<>();
        for (String line : Files.readAllLines(out)) {
            JsonNode result = new ObjectMapper().readTree(line);
            results.put(result.get("directory").asText(), result);
        }
        return results;
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
