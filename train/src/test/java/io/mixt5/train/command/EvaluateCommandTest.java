package io.mixt5.train.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.mixt5.train.SharedData;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class EvaluateCommandTest {
    private static final String DATA = """
            {"data": [{"title": "t", "paragraphs": [{"context": "c", "qas": [
              {"id": "1", "question": "q", "answers": [{"text": "Levi's"}]},
              {"id": "2", "question": "q", "answers": [{"text": "red fox"}]},
              {"id": "3", "question": "q", "answers": [{"text": "x"}]},
              {"id": "4", "question": "q", "answers": [], "is_impossible": true}]}]}]}""";

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path directory;
    private Path data;
    private Path predictions;

    @BeforeEach
    void writeData() throws IOException {
        data = directory.resolve("data.json");
        predictions = directory.resolve("predictions.json");
        Files.writeString(data, DATA);
        Files.writeString(predictions, "{\"2\": \"fox\", \"1\": \"levis\", \"9\": \"x\"}");
    }

    @Test
    void printsOneObjectAndWarnsBesideIt() throws IOException {
        assertEquals(0, run());
        JsonNode score = new ObjectMapper().readTree(out.toString());
        assertEquals(2, score.size());
        assertEquals(100.0 / 3, score.get("exact_match").doubleValue(), 1e-9);
        assertEquals(100.0 / 3 + 200.0 / 9, score.get("f1").doubleValue(), 1e-9);
        assertEquals(1, out.toString().lines().count());
        assertEquals(List.of("warning: 1 questions are unanswerable and left out",
                "warning: 1 of 3 questions have no prediction and score 0",
                "warning: 1 predictions are for no question of the data set and left out"),
                err.toString().lines().toList());
    }

    @Test
    void scoresByTheMetricNamed() throws IOException {
        assertEquals(0, run("--metric", "mixt5"));
        assertEquals(0.0, new ObjectMapper().readTree(out.toString()).get("exact_match").doubleValue());
        assertEquals(2, run("--metric", "rouge"));
        assertTrue(err.toString().contains("official"), err.toString());
    }

    @Test
    void equalsTheOfficialScriptOnTheRealData() throws IOException {
        data = SharedData.require("data/squad/dev-v1.1.json.gz");
        predictions = SharedData.require("data/golden/pred-logistic-regression.json");
        assertEquals(0, run());
        assertEquals("{\"exact_match\": 40.14191106906339, \"f1\": 50.98153647324461}", out.toString().strip());
        assertEquals(List.of("warning: 13 of 10570 questions have no prediction and score 0",
                "warning: 28 predictions are for no question of the data set and left out"),
                err.toString().lines().toList());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "{\"1\": 3} | the prediction for '1' in FILE must be a text, found the number 3",
            "{\"1\": null} | the prediction for '1' in FILE must be a text, found null",
            "{\"1\": {\"text\": \"x\"}} | the prediction for '1' in FILE must be a text, found an object",
            "{\"1\": \"a\", \"1\": \"b\"} | FILE has the key '1' twice",
            "[] | FILE must hold one JSON object of question ids and texts",
            "`` | FILE must hold one JSON object of question ids and texts",
            "{\"1\": \"a\" | FILE ends in the middle of its JSON, it was cut (line 1, column 10)",
            "{} {} | FILE goes on after the end of its JSON"})
    void refusesPredictionsOfAnotherForm(String json, String message) throws IOException {
        Files.writeString(predictions, json);
        assertEquals(2, run());
        assertEquals("error: " + message.replace("FILE", predictions.toString()), err.toString().strip());
        assertEquals("", out.toString());
    }

    @Test
    void saysInOneLineWhichFileIsMissingOrCut() throws IOException {
        Files.writeString(data, DATA.substring(0, 200));
        assertEquals(2, run());
        assertTrue(err.toString().startsWith("error: " + data + " ends in the middle of its JSON"), err.toString());
        assertEquals(1, err.toString().lines().count());
        assertEquals("", out.toString());
        Files.delete(data);
        assertEquals(2, run());
        assertTrue(err.toString().endsWith("error: there is no file " + data + System.lineSeparator()));
        assertFalse(err.toString().contains("\tat "));
    }

    private int run(String... more) {
        CommandLine command = new CommandLine(new EvaluateCommand()).setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true)).setExecutionExceptionHandler(new UserErrorHandler());
        String[] arguments = new String[4 + more.length];
        System.arraycopy(new String[]{"--data", data.toString(), "--predictions", predictions.toString()}, 0,
                arguments, 0, 4);
        System.arraycopy(more, 0, arguments, 4, more.length);
        return command.execute(arguments);
    }
}
