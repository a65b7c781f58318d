package io.mixt5.train.quickstart;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.mixt5.engine.UserException;
import io.mixt5.model.tokenizer.T5Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The generated data: its form, its honesty, and that a seed fixes every byte. */
class QuickstartTest {
    private static final Quickstart SMALL = new Quickstart(300, 20, 7, 600);

    @TempDir
    static Path directory;

    @BeforeAll
    static void write() {
        SMALL.write(directory, 42);
    }

    @Test
    void everyAnswerStandsWhereItIsSaidTo() throws Exception {
        Set<String> ids = new HashSet<>();
        for (String file : List.of(Quickstart.TRAIN, Quickstart.VALIDATION)) {
            JsonNode articles = articles(file);
            assertEquals(file.equals(Quickstart.TRAIN) ? 300 : 20, articles.size());
            for (JsonNode article : articles) {
                assertFalse(article.path("title").textValue().isBlank());
                JsonNode paragraph = article.path("paragraphs").path(0);
                String context = paragraph.path("context").textValue();
                int facts = paragraph.path("qas").size();
                assertTrue(facts == 7 || facts >= 2 && facts < 7 && file.equals(Quickstart.TRAIN), facts + " facts");
                Set<String> answers = new HashSet<>();
                for (JsonNode question : paragraph.path("qas")) {
                    assertTrue(ids.add(question.path("id").textValue()));
                    assertTrue(question.path("question").textValue().endsWith("?"));
                    assertFalse(question.path("question").textValue().contains("{"));
                    String answer = question.at("/answers/0/text").textValue();
                    int start = question.at("/answers/0/answer_start").intValue();
                    assertTrue(context.startsWith(answer, start), answer + " in " + context);
                    assertTrue(answers.add(answer), "no two answers in a context are equal");
                }
                assertFalse(context.contains("{"), context);
            }
        }
    }

    @Test
    void noPersonAndNoContextOfTheValidationSetIsTrainedOn() throws Exception {
        for (String field : List.of("/title", "/paragraphs/0/context")) {
            Set<String> train = values(Quickstart.TRAIN, field);
            Set<String> validation = values(Quickstart.VALIDATION, field);
            assertEquals(20, validation.size());
            validation.retainAll(train);
            assertEquals(Set.of(), validation);
        }
    }

    @Test
    void everyContextHasTwoFactsOfOneType() {
        Random random = new Random(5);
        for (int i = 0; i < 200; i++) {
            Biography biography = Biography.draw(random, 6);
            List<String> families = biography.questions().stream()
                    .map(question -> Topic.ALL.stream()
                            .filter(topic -> topic.questions().stream().anyMatch(pattern -> question.text()
                                    .matches(pattern.replace("?", "\\?").replace("{n}", ".+"))))
                            .map(Topic::family)
                            .findFirst()
                            .orElseThrow())
                    .toList();
            assertTrue(Set.copyOf(families).size() < 6, families.toString());
        }
    }

    @Test
    void vocabularyCoversAllTextInWholeWords() throws Exception {
        try (T5Tokenizer tokenizer = T5Tokenizer.load(directory.resolve(Quickstart.VOCABULARY))) {
            assertTrue(tokenizer.vocabularySize() <= 700, "600 pieces and 100 sentinels");
            for (String context : values(Quickstart.VALIDATION, "/paragraphs/0/context")) {
                int[] ids = tokenizer.encode(context);
                assertEquals(context, tokenizer.decode(ids, true));
                assertFalse(Arrays.stream(ids).anyMatch(id -> id == tokenizer.unknownId()), context);
                assertTrue(ids.length >= 40 && ids.length <= 90, ids.length + " tokens");
            }
            assertFalse(Arrays.stream(tokenizer.encode("Who's that? (42 ZEBRAS) {x} ~")).anyMatch(id -> id == 2));
        }
    }

    @Test
    void sameSeedGivesTheSameBytesAndAnotherSeedOthers() throws Exception {
        Path again = directory.resolve("again");
        Path other = directory.resolve("other");
        SMALL.write(again, 42);
        SMALL.write(other, 43);
        for (String file : List.of(Quickstart.TRAIN, Quickstart.VALIDATION, Quickstart.VOCABULARY)) {
            byte[] bytes = Files.readAllBytes(directory.resolve(file));
            assertArrayEquals(bytes, Files.readAllBytes(again.resolve(file)), file);
            assertFalse(Arrays.equals(bytes, Files.readAllBytes(other.resolve(file))), file);
        }
    }

    @Test
    void directoryThatCannotBeWrittenIsNamed() {
        Path below = directory.resolve(Quickstart.TRAIN).resolve("x");
        UserException e = assertThrows(UserException.class, () -> SMALL.write(below, 1));
        assertTrue(e.getMessage().contains(below.toString()), e.getMessage());
    }

    @Test
    void senselessSizesAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Quickstart(0, 1, 7, 600));
        assertThrows(IllegalArgumentException.class, () -> new Quickstart(1, 1, 14, 600));
        assertThrows(IllegalArgumentException.class, () -> new Quickstart(1, 1, 1, 600));
        assertThrows(IllegalArgumentException.class, () -> new Quickstart(1, 1000, 7, 600));
    }

    private static JsonNode articles(String file) throws Exception {
        JsonNode set = new JsonMapper().readTree(directory.resolve(file).toFile());
        assertEquals("1.1", set.path("version").textValue());
        return set.path("data");
    }

    private static Set<String> values(String file, String field) throws Exception {
        return articles(file).valueStream().map(article -> article.at(field).textValue()).collect(Collectors.toSet());
    }
}
