package io.mixt5.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.bench.report.Change.Verdict;
import io.mixt5.engine.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is called a change, on results written by hand. */
class ChangeTest {
    @TempDir
    private Path directory;

    @Test
    void onlySamplesThatDoNotOverlapAreAChange() throws IOException {
        assertEquals(Verdict.SLOWER, verdict(List.of(10, 11, 12, 13, 14), List.of(15, 16, 17, 18, 19)));
        assertEquals(Verdict.FASTER, verdict(List.of(15, 16, 17, 18, 19), List.of(10, 11, 12, 13, 14)));
        assertEquals(Verdict.SAME, verdict(List.of(10, 11, 12, 13, 15), List.of(14, 16, 17, 18, 19)));
        assertEquals(Verdict.UNKNOWN, verdict(List.of(10, 11, 12), List.of(20, 21, 22)));
    }

    @Test
    void comparisonNamesTheChangedFirstAndCounts() throws IOException {
        Results before = results("a.json", entry("Forward.op", "add", List.of(1, 2, 3, 4)),
                entry("Forward.op", "relu", List.of(10, 11, 12, 13)));
        Results after = results("b.json", entry("Forward.op", "add", List.of(2, 3, 4, 5)),
                entry("Forward.op", "relu", List.of(20, 22, 22, 24)),
                entry("Forward.op", "scale", List.of(1, 1, 1, 1)));
        List<String> lines = CompareCommand.text(before, after).lines().toList();
        assertTrue(lines.get(0).startsWith("SLOWER") && lines.get(0).contains("relu")
                && lines.get(0).contains("11.5 ms ->    22.0 ms"), lines.get(0));
        assertTrue(lines.get(0).endsWith("91.3 % slower"), lines.get(0));
        assertTrue(lines.get(1).startsWith("same"), lines.get(1));
        assertEquals("1 of 2 changed beyond the noise; 1 are only in b.json", lines.get(2));
    }

    @Test
    void filesWithoutResultsAreRefusedByName() throws IOException {
        Path empty = Files.writeString(directory.resolve("empty.json"), "[]");
        assertTrue(assertThrows(UserException.class, () -> Results.read(empty)).getMessage().contains("empty.json"));
        Path broken = Files.writeString(directory.resolve("broken.json"), "[{");
        assertTrue(assertThrows(UserException.class, () -> Results.read(broken)).getMessage().contains("broken.json"));
        Path rates = Files.writeString(directory.resolve("rates.json"),
                "[" + entry("Forward.op", "add", List.of(1)).replace("ms/op", "ops/s") + "]");
        assertTrue(assertThrows(UserException.class, () -> Results.read(rates)).getMessage().contains("-bm avgt"));
    }

    @Test
    void sharesFollowFromTheLimitsOfTheSameRun() throws IOException {
        Results results = results("c.json", entry("Limits.copy", "none", List.of(10)),
                entry("Forward.op", "add", List.of(20)));
        Section ops = Sections.of(results, List.of()).get(1);
        assertEquals("Ops forward", ops.title());
        assertEquals(0.5, ops.rows().getFirst().share(), 1e-12);
    }

    @Test
    void peersStandBesideTheirOps() throws IOException {
        Results results = results("d.json", entry("Forward.op", "add", List.of(20)),
                entry("Forward.op", "relu", List.of(20)), entry("TorchForward.op", "add", List.of(30)),
                entry("CudnnForward.op", "relu", List.of(10)), entry("CudnnBackward.op", "relu", List.of(10)));
        List<Section> sections = Sections.of(results, List.of());
        assertEquals(List.of(1.5, 0.5), sections.getFirst().rows().stream().map(Row::peer).toList());
        assertEquals(List.of("CudnnBackward.op"), sections.getLast().rows().stream()
                .map(row -> row.measurement().benchmark()).toList(), "what has nothing to stand beside");
    }

    private Verdict verdict(List<Integer> before, List<Integer> after) throws IOException {
        Results a = results("before.json", entry("Forward.op", "add", before));
        Results b = results("after.json", entry("Forward.op", "add", after));
        return new Change(a.all().getFirst(), b.all().getFirst()).verdict();
    }

    private Results results(String name, String... entries) throws IOException {
        return Results.read(Files.writeString(directory.resolve(name), "[" + String.join(",", entries) + "]"));
    }

    /** A thousand bytes a call. */
    private static String entry(String benchmark, String op, List<Integer> milliseconds) {
        return """
                {"benchmark": "io.mixt5.bench.%s", "params": {"device": "cpu", "op": "%s"}, "primaryMetric": {
                 "scoreUnit": "ms/op", "scoreError": "NaN", "rawData": [[%s]]},
                 "secondaryMetrics": {"bytes": {"rawData": [[1000.0]]}}}
                """.formatted(benchmark, op,
                milliseconds.stream().map(String::valueOf).collect(Collectors.joining(", ")));
    }
}
