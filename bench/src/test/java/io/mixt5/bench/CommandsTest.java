package io.mixt5.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The commands that time whole passes, on the smallest model. */
class CommandsTest {
    @Test
    void stepTimesTrainingSteps() throws Exception {
        JsonNode report = report("step", "--size", "tiny", "--batch", "2", "--src", "16", "--tgt", "4", "--steps", "3",
                "--warmup", "1", "--experts", "4", "--top-k", "2");
        assertEquals("tiny", report.get("size").asText());
        assertEquals(4, report.get("experts").asInt());
        assertEquals(2, report.get("top_k").asInt());
        assertEquals(16, report.get("src").asInt());
        assertTimes(report.get("step_s"));
        double seconds = 3 * 2 * 16 / report.get("source_tokens_per_s").asDouble();
        assertTrue(seconds >= report.at("/step_s/median").asDouble(), report::toString);
    }

    @Test
    void stepTakesRealLengths() throws Exception {
        JsonNode report = report("step", "--size", "tiny", "--ragged", "--steps", "2", "--warmup", "1");
        assertEquals("SQuAD", report.get("lengths").asText());
        assertTimes(report.get("step_s"));
        int[][][] lengths = SquadLengths.read();
        int tokens = Arrays.stream(lengths, 1, 3).flatMap(Arrays::stream).mapToInt(pair -> pair[0]).sum();
        double seconds = tokens / report.get("source_tokens_per_s").asDouble();
        assertEquals(report.at("/step_s/min").asDouble() + report.at("/step_s/max").asDouble(), seconds,
                1e-9 + seconds * 1e-9);
    }

    @Test
    void generateTimesGeneration() throws Exception {
        JsonNode report = report("generate", "--size", "tiny", "--batch", "2", "--src", "8", "--new-tokens", "3",
                "--runs", "1", "--warmup", "0");
        assertTimes(report.get("generate_s"));
        assertEquals(2 * 3 / report.at("/generate_s/median").asDouble(), report.get("new_tokens_per_s").asDouble(),
                1e-6);
    }

    private static void assertTimes(JsonNode seconds) {
        assertTrue(0 < seconds.get("min").asDouble(), seconds::toString);
        assertTrue(seconds.get("min").asDouble() <= seconds.get("median").asDouble(), seconds::toString);
        assertTrue(seconds.get("median").asDouble() <= seconds.get("max").asDouble(), seconds::toString);
    }

    private static JsonNode report(String... args) throws Exception {
        PrintStream before = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            assertEquals(0, Main.run(args));
        } finally {
            System.setOut(before);
        }
        return new ObjectMapper().readTree(printed.toString(StandardCharsets.UTF_8));
    }
}
