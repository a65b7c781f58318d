package io.mixt5.train.squad;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.mixt5.train.SharedData;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SquadMetricTest {
    private static final double TOLERANCE = 1e-9;

    /** Against Python, on characters that languages treat differently; see src/test/python/make_squad_golden.py. */
    @Test
    void normalizesAsPythonDoes() throws IOException {
        JsonNode cases;
        try (InputStream in = getClass().getResourceAsStream("/squad/normalize.json")) {
            cases = new ObjectMapper().readTree(in);
        }
        assertEquals(200, cases.size());
        for (JsonNode golden : cases) {
            for (SquadMetric metric : SquadMetric.values()) {
                List<String> texts = texts(golden.get("texts"));
                List<String> expected = texts(golden.get(metric.toString()));
                assertEquals(expected, texts.stream().map(metric::normalize).toList(), () -> golden.toString());
                assertEquals(expected.get(0).equals(expected.get(1)),
                        metric.exactMatch(texts.get(0), texts.get(1)));
                assertEquals(golden.get(metric + "_f1").doubleValue(), metric.f1(texts.get(0), texts.get(1)),
                        TOLERANCE);
            }
        }
    }

    @Test
    void scoresTheUnitCases() throws IOException {
        JsonNode cases = new ObjectMapper().readTree(SharedData.require("data/golden/expected.json").toFile())
                .get("unit");
        assertFalse(cases.isEmpty());
        for (JsonNode golden : cases) {
            String prediction = golden.get("prediction").textValue();
            List<String> answers = texts(golden.get("answers"));
            assertEquals(golden.get("normalized_prediction").textValue(),
                    SquadMetric.OFFICIAL.normalize(prediction));
            assertEquals(texts(golden.get("normalized_answers")),
                    answers.stream().map(SquadMetric.OFFICIAL::normalize).toList());
            assertScore(golden, "em", "f1", SquadMetric.OFFICIAL, prediction, answers);
            assertScore(golden, "seed_em", "seed_f1", SquadMetric.MIXT5, prediction, answers);
        }
    }

    @Test
    void scoresTheWholeDevelopmentSet() throws IOException {
        Path data = SharedData.require("data/squad/dev-v1.1.json.gz");
        Map<String, String> predictions = SquadPredictions
                .read(SharedData.require("data/golden/pred-logistic-regression.json"));
        JsonNode golden = new ObjectMapper().readTree(SharedData.require("data/golden/expected.json").toFile())
                .get("dev").get("pred-logistic-regression.json");
        for (SquadMetric metric : SquadMetric.values()) {
            SquadScore score = new SquadScore(metric);
            for (SquadExample example : SquadReader.readAll(data, SquadReader.Answers.REQUIRED)) {
                score.add(predictions.get(example.id()), example.answerTexts());
            }
            JsonNode expected = golden.get(
                    metric == SquadMetric.OFFICIAL ? "official" : "seed_remove_symbols_then_official");
            assertEquals(expected.get("exact_match").doubleValue(), score.exactMatch(), TOLERANCE);
            assertEquals(expected.get("f1").doubleValue(), score.f1(), TOLERANCE);
            assertEquals(10570, score.total());
            assertEquals(golden.get("dev_ids_missing").intValue(), score.missing());
        }
    }

    /** Cases that fail where Java's own lower case, word boundary or white space is used. */
    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', value = {
            "\u039F\u0394\u039F\u03A3, \u03BF\u03B4\u03BF\u03C2", // capital sigma at the end of a word
            "\u03A3, \u03C3", // alone it ends nothing
            "\u0391\u03A31\u0391, \u03B1\u03C21\u03B1", // a digit ends the run of letters
            "\u0391\u03A3\u0301\u0391, \u03B1\u03C3\u0301\u03B1", // a combining mark does not
            "\u0130, i\u0307", "a\u0301b, \u0301b", // a mark is no word character: "a" stands alone
            "`a\u00B2`, a\u00B2", // a superscript is one
            "a\uD835\uDFD8, a\uD835\uDFD8", "x\u00A0the\u2007y, x y", "x\u001Cy, x y", "x\u200By, x\u200By"})
    void differsFromJavasOwnText(String text, String normalized) {
        assertEquals(normalized, SquadMetric.OFFICIAL.normalize(text));
    }

    @Test
    void takesTheBestAnswerForEachScoreApart() {
        SquadScore score = new SquadScore(SquadMetric.OFFICIAL);
        score.add("red fox", List.of("fox", "red fox den"));
        assertEquals(0, score.exactMatch());
        assertEquals(80, score.f1(), TOLERANCE);
        score.add(null, List.of("x"));
        assertEquals(40, score.f1(), TOLERANCE);
        assertEquals(2, score.total());
        assertEquals(1, score.missing());
        score.add("", List.of("the"));
        assertEquals(100.0 / 3, score.exactMatch(), TOLERANCE);
        assertThrows(IllegalArgumentException.class, () -> score.add("x", List.of()));
    }

    @Test
    void f1IsSymmetricAndBounded() {
        String[] words = {"red", "fox", "the", "den", "red", "a.", "RED"};
        Random random = new Random(2);
        for (int round = 0; round < 500; round++) {
            String a = sentence(words, random);
            String b = sentence(words, random);
            for (SquadMetric metric : SquadMetric.values()) {
                double f1 = metric.f1(a, b);
                assertEquals(f1, metric.f1(b, a), TOLERANCE);
                assertTrue(f1 >= 0 && f1 <= 1);
                assertEquals(metric.normalize(a), metric.normalize(metric.normalize(a)));
                assertEquals(metric.normalize(a).isEmpty() ? 0 : 1, metric.f1(a, a));
            }
        }
    }

    private static String sentence(String[] words, Random random) {
        return String.join(" ", random.ints(random.nextInt(6), 0, words.length).mapToObj(i -> words[i]).toList());
    }

    private static void assertScore(JsonNode golden, String em, String f1, SquadMetric metric, String prediction,
            List<String> answers) {
        SquadScore score = new SquadScore(metric);
        score.add(prediction, answers);
        assertEquals(golden.get(em).booleanValue() ? 100 : 0, score.exactMatch(), golden::toString);
        assertEquals(100 * golden.get(f1).doubleValue(), score.f1(), 100 * TOLERANCE, golden::toString);
    }

    private static List<String> texts(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false).map(JsonNode::textValue).toList();
    }
}
