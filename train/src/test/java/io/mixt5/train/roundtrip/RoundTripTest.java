package io.mixt5.train.roundtrip;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.Device;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Model;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.quickstart.Quickstart;
import io.mixt5.train.roundtrip.Exports.Export;
import io.mixt5.train.squad.SquadPrompt;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Models from here opened by transformers, and its models opened here: both compute the same. Where there is no Python with
 * transformers, what it computed of the very same files is compared, which {@code roundtrip/exports.json} holds; with
 * one, and {@code -Dmixt5.record=true}, the test writes that file anew.
 */
class RoundTripTest {
    private static final double EQUAL = 1e-5;
    private static final int LOGITS_KEPT = 4;
    private static final Path GOLDEN = Path.of("src/test/resources/roundtrip/exports.json");
    private static final List<int[]> SOURCES = List.of(new int[]{5, 9, 33, 47, 12, 60, 1}, new int[]{7, 7, 7, 7, 1},
            new int[]{1}, new int[]{22, 0, 41, 8, 1});
    private static final List<int[]> LABELS = List.of(new int[]{8, 1}, new int[]{4, 6, 18, 55, 1},
            new int[]{30, 30, 30, 30, 30, 30, 1}, new int[]{1});
    private static final List<String> TEXTS = List.of("In which year did Henry Sander leave school?",
            "[squad][question]What does he  play?[context]He plays the violin.", " [context] a[question]b ",
            "<extra_id_0> is his <extra_id_1>.</s>", "", "naïve Ωmega \u00e9t\u00e9 1979", "<pad> [squad]");

    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path directory;
    private static final Map<String, T5Model> HERE = new LinkedHashMap<>();
    private static Map<String, JsonNode> there;
    private static T5Tokenizer tokenizer;

    @BeforeAll
    static void exportAndAskTransformers() throws IOException, InterruptedException {
        Path data = directory.resolve("data");
        new Quickstart(12, 3, 6, 300).write(data, 5);
        tokenizer = T5Tokenizer.load(data.resolve(Quickstart.VOCABULARY)).withAddedTokens(SquadPrompt.MARKERS);
        List<String> arguments = new ArrayList<>();
        for (Map.Entry<String, Export> export : Exports.all().entrySet()) {
            Path target = directory.resolve(export.getKey());
            HERE.put(export.getKey(), Exports.save(export.getValue(), target));
            tokenizer.save(target);
            arguments.add(target.toString());
        }
        Optional<TransformersPython> python = TransformersPython.find();
        if (python.isEmpty()) {
            return;
        }
        arguments.addAll(List.of("--ids", JSON.writeValueAsString(SOURCES), "--labels", JSON.writeValueAsString(LABELS),
                "--texts", JSON.writeValueAsString(TEXTS), "--make", directory.resolve("theirs").toString()));
        there = python.get().run(directory, arguments);
        if (Boolean.getBoolean("mixt5.record")) {
            record();
        }
    }

    @AfterAll
    static void close() {
        tokenizer.close();
        HERE.values().forEach(T5Model::close);
    }

    static Stream<String> exports() {
        return Exports.all().keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("exports")
    void oursGiveEqualLogitsThere(String name) throws IOException {
        JsonNode result = asked(name);
        assertEquals(0, result.get("missing").size(), result.get("missing")::toString);
        assertEquals(0, result.get("unexpected").size(), result.get("unexpected")::toString);
        assertEquals(name.startsWith("mixture")
                ? "SwitchTransformersForConditionalGeneration"
                : "T5ForConditionalGeneration", result.get("model").asText());
        assertEquals(!name.contains("untied"), result.get("tied").asBoolean(), "tied");
        compare("from here: " + name, HERE.get(name), result, Integer.MAX_VALUE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5-tied", "t5-untied", "t5-unequal", "t5-bfloat16", "switch-tied", "switch-untied"})
    void theirsGiveEqualLogitsHere(String name) throws IOException {
        JsonNode result = asked(name);
        try (T5Model model = T5Model.load(directory.resolve("theirs").resolve(name), Device.of("cpu"))) {
            compare("from there: " + name, model, result, Integer.MAX_VALUE);
        }
    }

    @Test
    void theirTokenizersGiveTheIdsOfOurs() {
        JsonNode tokens = asked("dense-tied").get("tokens");
        for (int i = 0; i < TEXTS.size(); i++) {
            int[] expected = tokenizer.encodeWithEnd(TEXTS.get(i));
            for (String kind : List.of("auto", "own")) {
                assertArrayEquals(expected, ints(tokens.get(kind).get(i)), kind + " of " + TEXTS.get(i));
            }
            assertEquals(tokenizer.decode(expected, false), tokens.get("decoded").get(i).asText());
        }
        for (String marker : SquadPrompt.MARKERS) {
            int id = tokenizer.idOf(marker);
            assertTrue(Arrays.stream(ints(tokens.get("special"))).anyMatch(special -> special == id), marker);
        }
    }

    @ParameterizedTest
    @MethodSource("exports")
    void exportsAreTheFilesThatTransformersHasRead(String name) throws IOException {
        JsonNode golden = JSON.readTree(GOLDEN.toFile()).path(name);
        assertFalse(golden.isMissingNode(), name + " is not in " + GOLDEN + "; record it");
        assertEquals(golden.get("sha256"), digests(directory.resolve(name)), "transformers has not read these files; "
                + "run this test with MIXT5_PYTHON and -Dmixt5.record=true, and look at what has changed");
        compare("as recorded: " + name, HERE.get(name), golden, LOGITS_KEPT);
    }

    /** What transformers computed of that directory; ends the test as not run where there is no Python. */
    private static JsonNode asked(String name) {
        Assumptions.assumeTrue(there != null, "not run, for want of a Python with transformers");
        return there.get(name);
    }

    /** The loss and the first logits of every position, here and in {@code result}. */
    private static void compare(String what, T5Model model, JsonNode result, int kept) {
        try (Scope scope = new Scope(model.device())) {
            T5Model.Output output = model.forward(Tape.inference(scope), T5Batch.of(SOURCES, LABELS, model.config()));
            float[] here = output.logits().toFloats();
            int columns = model.config().vocabSize;
            double largest = 0;
            double difference = 0;
            int row = 0;
            for (JsonNode sequence : result.get("logits")) {
                for (JsonNode position : sequence) {
                    assertEquals(Math.min(columns, kept), position.size());
                    for (int i = 0; i < position.size(); i++) {
                        double expected = position.get(i).asDouble();
                        largest = Math.max(largest, Math.abs(expected));
                        difference = Math.max(difference, Math.abs(expected - here[row * columns + i]));
                    }
                    row++;
                }
            }
            assertEquals(here.length, row * columns);
            System.out.printf("%s: largest difference of a logit %.1e, largest logit %.2f%n", what, difference,
                    largest);
            assertTrue(difference <= EQUAL * Math.max(1, largest), what + " differs by " + difference);
            if (!model.config().mixture().activateMoe) { // a mixture's loss has the routers' in it
                assertEquals(result.get("loss").asDouble(), output.loss().toFloats()[0], EQUAL * 10);
            }
        }
    }

    private static void record() throws IOException {
        ObjectNode golden = JSON.createObjectNode();
        for (String name : Exports.all().keySet()) {
            ObjectNode entry = golden.putObject(name);
            entry.set("sha256", digests(directory.resolve(name)));
            entry.set("loss", there.get(name).get("loss"));
            ArrayNode rows = entry.putArray("logits");
            for (JsonNode sequence : there.get(name).get("logits")) {
                ArrayNode positions = rows.addArray();
                for (JsonNode position : sequence) {
                    ArrayNode logits = positions.addArray();
                    for (int i = 0; i < LOGITS_KEPT; i++) {
                        logits.add((float) position.get(i).asDouble());
                    }
                }
            }
        }
        StringBuilder text = new StringBuilder();
        golden.properties().forEach(entry -> text.append(text.isEmpty() ? "{\n" : ",\n").append("\"")
                .append(entry.getKey()).append("\": ").append(entry.getValue()));
        Files.writeString(GOLDEN, text + "\n}\n");
    }

    /** Of the files that decide what transformers computes. */
    private static ObjectNode digests(Path model) throws IOException {
        ObjectNode digests = JSON.createObjectNode();
        try (var files = Files.list(model)) {
            for (Path file : files.sorted().toList()) {
                String name = file.getFileName().toString();
                if (name.startsWith("model") || name.equals("config.json")) {
                    digests.put(name, HexFormat.of().formatHex(sha256().digest(Files.readAllBytes(file))));
                }
            }
        }
        return digests;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static int[] ints(JsonNode array) {
        int[] values = new int[array.size()];
        Arrays.setAll(values, i -> array.get(i).asInt());
        return values;
    }
}
