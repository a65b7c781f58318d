package io.mixt5.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The committed PTX is what compile.sh makes of the committed sources. */
class PtxFreshnessTest {
    private static final Path SOURCES = Path.of("src/main/cuda");
    private static final Path PTX = Path.of("src/main/resources/ptx");

    @Test
    void everySourceHasItsPtxAndNothingElseIsThere() throws IOException {
        Set<String> expected = new TreeSet<>();
        for (String source : names(SOURCES, ".cu")) {
            String name = source.substring(0, source.length() - ".cu".length());
            String targets = Files.readAllLines(SOURCES.resolve(source)).stream()
                    .filter(line -> line.startsWith("// targets: ")).findFirst().orElse("// targets: sm_75");
            for (String target : targets.substring("// targets: ".length()).split(" ")) {
                expected.add(target.equals("sm_75") ? name + ".ptx" : name + "." + target + ".ptx");
            }
        }
        assertTrue(expected.size() > 1, "looked in the wrong place: " + SOURCES.toAbsolutePath());
        assertEquals(expected, names(PTX, ".ptx"));
    }

    @Test
    void ptxIsWhatTheSourcesSay(@TempDir Path directory) throws IOException, InterruptedException {
        String version = output("nvcc", "--version");
        String maker = Files.readString(SOURCES.resolve("nvcc.version")).strip();
        if (!version.contains(maker)) {
            String reason = "not compared with the sources: that takes nvcc " + maker + ", found "
                    + (version.isEmpty() ? "none" : version.lines().reduce((a, b) -> b).orElse(""));
            System.out.println("PTX " + reason);
            Assumptions.abort(reason);
        }
        String log = output(SOURCES.resolve("compile.sh").toAbsolutePath().toString(), "-o", directory.toString());
        for (String file : names(PTX, ".ptx")) {
            assertTrue(Files.exists(directory.resolve(file)), log);
            assertEquals(Files.readString(directory.resolve(file)), Files.readString(PTX.resolve(file)),
                    file + " is stale: run kernels/src/main/cuda/compile.sh");
        }
    }

    private static Set<String> names(Path directory, String ending) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(ending))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    /** What a command prints; nothing when it is not there. */
    private static String output(String... command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
            String text = new String(process.getInputStream().readAllBytes());
            process.waitFor();
            return text;
        } catch (IOException e) {
            return "";
        }
    }
}
