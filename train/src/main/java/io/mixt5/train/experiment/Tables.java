package io.mixt5.train.experiment;

import io.mixt5.model.io.AtomicFile;
import io.mixt5.model.io.StrictJson;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * MixT5's two tables: the ways of fine-tuning by EM and F1, and (number of MoE layers, lambda) by EM and F1. Scores are those
 * of the model after its last step, mean and standard deviation (with Bessel's correction) over the seeds.
 */
final class Tables {
    private final List<RunResult> results;
    private final List<Row> rows;
    private final List<Row> grid;

    /**
     * A mean and its spread.
     *
     * @param mean in per cent
     * @param deviation null for a single run
     */
    record Score(double mean, Double deviation) {
        static Score of(List<Double> values) {
            double mean = values.stream().mapToDouble(v -> v).average().orElseThrow();
            if (values.size() == 1) {
                return new Score(mean, null);
            }
            double squares = values.stream().mapToDouble(v -> (v - mean) * (v - mean)).sum();
            return new Score(mean, Math.sqrt(squares / (values.size() - 1)));
        }

        @Override
        public String toString() {
            return deviation == null
                    ? String.format(Locale.ROOT, "%.2f", mean)
                    : String.format(Locale.ROOT, "%.2f ± %.2f", mean, deviation);
        }
    }

    /** A variant over its seeds. */
    record Row(String variant, int moeLayers, double noiseLambda, int steps, int runs, Score exactMatch, Score f1) {
        static Row of(List<RunResult> runs) {
            RunResult first = runs.getFirst();
            return new Row(first.variant(), first.moeLayers(), first.noiseLambda(), first.steps(), runs.size(),
                    Score.of(runs.stream().map(RunResult::exactMatch).toList()),
                    Score.of(runs.stream().map(RunResult::f1).toList()));
        }
    }

    /** What {@code results.json} holds. */
    record Saved(List<Row> fineTuning, List<Row> moeLayersAndLambda, List<RunResult> runs) {
    }

    /**
     * Of {@code results}, which all have scores.
     *
     * @param named the variants of the first table; the second has all that are mixtures
     */
    Tables(List<RunResult> results, List<String> named) {
        this.results = results;
        Map<String, List<RunResult>> byVariant = new LinkedHashMap<>();
        results.forEach(r -> byVariant.computeIfAbsent(r.variant(), name -> new ArrayList<>()).add(r));
        List<Row> all = byVariant.values().stream().map(Row::of).toList();
        rows = all.stream().filter(row -> named.contains(row.variant)).toList();
        grid = all.stream().filter(row -> row.moeLayers > 0)
                .sorted(Comparator.comparingInt(Row::moeLayers).thenComparingDouble(Row::noiseLambda)).toList();
    }

    /** Both tables. */
    String markdown() {
        StringBuilder text = new StringBuilder("| fine-tuning | steps | runs | EM | F1 |\n|---|--:|--:|--:|--:|\n");
        for (Row row : rows) {
            text.append("| ").append(row.variant).append(" | ").append(row.steps).append(rest(row));
        }
        if (!grid.isEmpty()) {
            text.append("\n| MoE layers | lambda | runs | EM | F1 |\n|--:|--:|--:|--:|--:|\n");
            for (Row row : grid) {
                text.append("| ").append(row.moeLayers).append(" | ").append(row.noiseLambda).append(rest(row));
            }
        }
        return text.toString();
    }

    private static String rest(Row row) {
        return " | " + row.runs + " | " + row.exactMatch + " | " + row.f1 + " |\n";
    }

    /** Writes {@code results.md} and {@code results.json}, the latter with every run. */
    void write(Path directory) {
        StrictJson.write(directory.resolve("results.json"), new Saved(rows, grid, results));
        byte[] text = markdown().getBytes(StandardCharsets.UTF_8);
        AtomicFile.write(directory.resolve("results.md"), channel -> {
            ByteBuffer buffer = ByteBuffer.wrap(text);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        });
    }
}
