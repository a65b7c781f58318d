package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.Device;
import io.mixt5.model.io.StrictJson;
import io.mixt5.model.io.StrictJson.UnknownKeys;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.provider.Arguments;

/** What transformers generated for 50 prompts with one of the project's tiny models, and the comparison with it. */
public final class GenerationGoldens {
    private final String name;
    private final Path directory;
    /** {@code generation.json}. */
    public final JsonNode json;

    /** Those of the model {@code name}, whose files go under {@code copy}. */
    public GenerationGoldens(String name, Path copy) {
        this.name = name;
        directory = ModelGoldens.ofProject(name, copy).directory();
        try (InputStream file = getClass().getResourceAsStream("/golden/" + name + "/generation.json")) {
            json = new ObjectMapper().readTree(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Those of all models, whose files go under {@code copy}. */
    public static List<GenerationGoldens> all(Path copy) {
        return Stream.of("tiny-t5-v1_1", "tiny-t5-v1_0").map(name -> new GenerationGoldens(name, copy)).toList();
    }

    /** The cases of all these, as arguments of a test: goldens and the name of a case. */
    public static Stream<Arguments> cases(List<GenerationGoldens> goldens) {
        return goldens.stream().flatMap(all -> all.cases().stream().map(name -> Arguments.of(all, name)));
    }

    /** The names of the cases. */
    public List<String> cases() {
        return StreamSupport.stream(json.get("cases").spliterator(), false).map(c -> c.get("name").asText()).toList();
    }

    /** The model, for the caller to close. */
    public T5Model model(Device device) {
        return T5Model.load(directory, device);
    }

    /** The prompts. */
    public List<int[]> prompts() {
        return StreamSupport.stream(json.get("prompts").spliterator(), false).map(GenerationGoldens::ints).toList();
    }

    /** Every id of the first {@code prompts} prompts' outputs, and the scores within 2e-5, in batches of {@code batch}. */
    public void check(String caseName, Device device, int prompts, int batch) {
        JsonNode expected = StreamSupport.stream(json.get("cases").spliterator(), false)
                .filter(c -> c.get("name").asText().equals(caseName)).findFirst().orElseThrow();
        GenerationConfig config = StrictJson.bind((ObjectNode) expected.get("config"), GenerationConfig.class,
                Path.of("generation.json"), UnknownKeys.REFUSE);
        try (T5Model model = model(device)) {
            Generator generator = new Generator(model, config);
            for (int from = 0; from < prompts; from += batch) {
                List<List<Generated>> outputs = generator
                        .outputs(prompts().subList(from, Math.min(prompts, from + batch)));
                for (int i = 0; i < outputs.size(); i++) {
                    compare(caseName, expected, from + i, config.numReturnSequences, outputs.get(i));
                }
            }
        }
    }

    private void compare(String caseName, JsonNode expected, int prompt, int each, List<Generated> outputs) {
        assertEquals(each, outputs.size());
        for (int n = 0; n < each; n++) {
            String what = name + ", " + caseName + ", prompt " + prompt + ", output " + n;
            assertArrayEquals(ints(expected.get("ids").get(prompt * each + n)), outputs.get(n).ids(), what);
            if (expected.has("scores")) {
                double score = expected.get("scores").get(prompt * each + n).asDouble();
                assertEquals(score, outputs.get(n).score(), 2e-5 * Math.max(1, Math.abs(score)), what);
            }
        }
    }

    static int[] ints(JsonNode array) {
        return IntStream.range(0, array.size()).map(i -> array.get(i).asInt()).toArray();
    }

    static float[] floats(JsonNode array) {
        float[] values = new float[array.size()];
        IntStream.range(0, values.length).forEach(i -> values[i] = (float) array.get(i).asDouble());
        return values;
    }

    @Override
    public String toString() {
        return name + " " + Arrays.toString(cases().toArray());
    }
}
