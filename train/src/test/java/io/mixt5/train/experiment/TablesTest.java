package io.mixt5.train.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.mixt5.model.io.StrictJson;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TablesTest {
    private final Tables tables = new Tables(
            List.of(run("pre-train only", 1, 0, 0, 0, 10), run("simple", 1, 5, 0, 0, 50), run("simple", 2, 5, 0, 0, 54),
                    run("MoE", 1, 5, 4, 0.1, 60), run("MoE", 2, 5, 4, 0.1, 60), run("a", 1, 5, 2, 0.3, 1),
                    run("b", 1, 5, 2, 0, 2)),
            List.of("pre-train only", "simple", "MoE"));

    @Test
    void showsMeanAndSpreadOfBothTables() {
        assertEquals("""
                | fine-tuning | steps | runs | EM | F1 |
                |---|--:|--:|--:|--:|
                | pre-train only | 0 | 1 | 10.00 | 11.00 |
                | simple | 5 | 2 | 52.00 ± 2.83 | 53.00 ± 2.83 |
                | MoE | 5 | 2 | 60.00 ± 0.00 | 61.00 ± 0.00 |

                | MoE layers | lambda | runs | EM | F1 |
                |--:|--:|--:|--:|--:|
                | 2 | 0.0 | 1 | 2.00 | 3.00 |
                | 2 | 0.3 | 1 | 1.00 | 2.00 |
                | 4 | 0.1 | 2 | 60.00 ± 0.00 | 61.00 ± 0.00 |
                """, tables.markdown());
    }

    @Test
    void oneRunHasNoSpread() {
        assertNull(Tables.Score.of(List.of(3.0)).deviation());
        assertEquals(Math.sqrt(2), Tables.Score.of(List.of(1.0, 3.0)).deviation(), 1e-12);
    }

    @Test
    void savesBothForPeopleAndForPrograms(@TempDir Path directory) throws Exception {
        tables.write(directory);
        assertEquals(tables.markdown(), Files.readString(directory.resolve("results.md")));
        var saved = StrictJson.readObject(directory.resolve("results.json"));
        assertEquals(52.0, saved.at("/fine_tuning/1/exact_match/mean").doubleValue());
        assertEquals(2, saved.at("/moe_layers_and_lambda/0/moe_layers").intValue());
        assertEquals(7, saved.path("runs").size());
    }

    private static RunResult run(String variant, long seed, int steps, int layers, double lambda, double score) {
        return new RunResult(variant, seed, steps, layers, lambda, score, score + 1, null, null);
    }
}
