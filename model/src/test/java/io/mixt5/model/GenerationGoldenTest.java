package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.mixt5.engine.Device;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Generation on the reference backend against transformers. */
class GenerationGoldenTest {
    @TempDir
    static Path directory;
    private static List<GenerationGoldens> goldens;
    private final Device device = Device.of("reference");

    @BeforeAll
    static void read() {
        goldens = GenerationGoldens.all(directory);
    }

    static Stream<Arguments> cases() {
        return GenerationGoldens.cases(goldens);
    }

    /** The reference is slow, so a part of the prompts; the CPU's test takes all. */
    @ParameterizedTest(name = "{1}")
    @MethodSource("cases")
    void idsAndScoresEqualTransformers(GenerationGoldens all, String name) {
        all.check(name, device, 4, 3);
    }

    @Test
    void probabilitiesToDrawFromEqualTransformers() {
        JsonNode json = goldens.getFirst().json;
        for (JsonNode filter : json.get("filters")) {
            GenerationConfig config = new GenerationConfig();
            config.doSample = true;
            config.temperature = filter.get("temperature").asDouble();
            config.topK = filter.get("top_k").asInt();
            config.topP = filter.get("top_p").asDouble();
            TokenSampler sampler = new TokenSampler(config);
            for (int row = 0; row < json.get("logits").size(); row++) {
                Continuations sorted = sorted(GenerationGoldens.floats(json.get("logits").get(row)), sampler.wanted());
                double[] probabilities = sampler.probabilities(sorted);
                JsonNode expected = filter.get("rows").get(row);
                assertEquals(expected.size(), probabilities.length, filter.toString());
                for (int i = 0; i < probabilities.length; i++) {
                    assertEquals(expected.get(i).get(0).asInt(), sorted.tokens()[i]);
                    assertEquals(expected.get(i).get(1).asDouble(), probabilities[i], 1e-6);
                }
            }
        }
        assertTrue(json.get("filters").size() > 5);
    }

    /** What a decoder would give: log-probabilities, the largest first. */
    private static Continuations sorted(float[] logits, int wanted) {
        double sum = IntStream.range(0, logits.length).mapToDouble(i -> Math.exp(logits[i])).sum();
        int[] order = IntStream.range(0, logits.length).boxed().sorted(Comparator.comparingDouble(i -> -logits[i]))
                .mapToInt(i -> i).toArray();
        float[] values = new float[order.length];
        IntStream.range(0, order.length).forEach(i -> values[i] = (float) (logits[order[i]] - Math.log(sum)));
        return Continuations.of(order, values, 0, order.length, new int[0], wanted);
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
