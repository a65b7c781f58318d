package io.mixt5.train.run;

import static org.junit.jupiter.api.Assertions.assertNull;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Looks at what a run has left, without touching it. */
public final class CheckpointAudit {
    private CheckpointAudit() {
    }

    /**
     * The step of the newest checkpoint, 0 where there is none. Fails when any is not whole.
     */
    public static int newestWhole(Path run) throws IOException {
        int newest = 0;
        for (Path entry : entries(run)) {
            String name = entry.getFileName().toString();
            if (name.matches("checkpoint-\\d+")) {
                assertNull(Checksums.damage(entry), name);
                newest = Math.max(newest, Integer.parseInt(name.substring("checkpoint-".length())));
            }
        }
        return newest;
    }

    /** Whether a directory has been begun and not finished. */
    public static boolean begun(Path run) throws IOException {
        return entries(run).stream().anyMatch(entry -> entry.getFileName().toString().matches("\\..*\\.(new|old)"));
    }

    /** The steps of the lines in the log of metrics. */
    public static List<Integer> steps(Path run) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        List<Integer> steps = new ArrayList<>();
        for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
            steps.add(mapper.readTree(line).get("step").asInt());
        }
        return steps;
    }

    /** The step of the last whole line in the log of metrics; 0 before the first. */
    public static int lastStep(Path run) throws IOException {
        Path log = run.resolve("metrics.jsonl");
        Matcher step = Pattern.compile("\\{\"step\":(\\d+),.*\n")
                .matcher(Files.exists(log) ? Files.readString(log) : "");
        int last = 0;
        while (step.find()) {
            last = Integer.parseInt(step.group(1));
        }
        return last;
    }

    private static List<Path> entries(Path run) throws IOException {
        if (!Files.exists(run)) {
            return List.of();
        }
        try (var entries = Files.list(run)) {
            return entries.toList();
        }
    }
}
