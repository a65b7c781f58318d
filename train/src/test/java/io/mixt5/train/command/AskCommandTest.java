package io.mixt5.train.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.model.MixtureConfig;
import io.mixt5.model.io.StrictJson;
import io.mixt5.train.SmallModel;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Questions put to random models: what matters is the form of the answers, and that options arrive. */
class AskCommandTest {
    private static final String CONTEXT = "He plays the violin.";
    @TempDir
    static Path dense;
    @TempDir
    static Path mixture;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeAll
    static void makeModels() {
        MixtureConfig experts = new MixtureConfig();
        experts.activateMoe = true;
        experts.numLocalExperts = 4;
        experts.numExpertsPerTok = 2;
        experts.numMoeLayers = 1;
        SmallModel.write(SmallModel.shape(), dense, dense);
        SmallModel.write(SmallModel.shape().with(experts), mixture, mixture);
    }

    @Test
    void answersOneQuestion() {
        assertEquals(0, ask(dense, "--question", "What does he play?", "--context", CONTEXT), err.toString());
        assertEquals(1, out.toString().lines().count(), out.toString());
        assertEquals("", err.toString());
    }

    @Test
    void showsTheBestBeamsWithTheirScores() {
        assertEquals(0, ask(dense, "--question", "What?", "--context", CONTEXT, "--num-beams", "4",
                "--num-return-sequences", "3", "--max-new-tokens", "6"), err.toString());
        List<Double> scores = out.toString().lines().map(line -> Double.parseDouble(line.strip().split(" ")[0]))
                .toList();
        assertEquals(3, scores.size(), out.toString());
        assertEquals(scores.stream().sorted((a, b) -> Double.compare(b, a)).toList(), scores);
    }

    @Test
    void drawsByTheSeed() {
        String[] drawn = new String[3];
        String[] seeds = {"1", "1", "2"};
        for (int i = 0; i < seeds.length; i++) {
            out.getBuffer().setLength(0);
            assertEquals(0, ask(dense, "--question", "What?", "--context", CONTEXT, "--do-sample", "--seed", seeds[i],
                    "--num-return-sequences", "4", "--min-new-tokens", "8", "--top-k", "0"), err.toString());
            drawn[i] = out.toString();
        }
        assertEquals(drawn[0], drawn[1]);
        assertNotEquals(drawn[0], drawn[2]);
    }

    @Test
    void asksForContextAndQuestionsUntilTheInputEnds() {
        String typed = CONTEXT + "\nWhat does he play?\nWho?\n\nShe sings.\nWho sings?\n";
        assertEquals(0, typing(typed, mixture), err.toString());
        assertEquals(3, out.toString().lines().count(), out.toString());
        assertTrue(err.toString().contains("context: ") && err.toString().contains("question: "), err.toString());
        out.getBuffer().setLength(0);
        assertEquals(0, typing("", mixture));
        assertEquals("", out.toString());
    }

    /** Every token of encoder and decoder has a line, with the choices of each mixture. */
    @Test
    void showsWhereTokensGo() {
        assertEquals(0, ask(mixture, "--question", "What?", "--context", CONTEXT, "--routing", "--max-new-tokens", "5",
                "--min-new-tokens", "5"), err.toString());
        List<String> lines = out.toString().lines().toList();
        int encoder = heading(lines, "encoder reads");
        int decoder = heading(lines, "decoder reads");
        assertTrue(lines.get(encoder).contains("block 1"), out.toString());
        assertTrue(lines.get(encoder + 1).startsWith("[squad]"), out.toString());
        assertTrue(lines.get(decoder + 1).startsWith("<pad>"), out.toString());
        assertEquals(5, lines.size() - decoder - 1, out.toString());
        for (String line : lines.subList(decoder + 1, lines.size())) {
            assertTrue(line.matches(".*\\s[0-3] 0\\.\\d\\d \\+ [0-3] 0\\.\\d\\d"), line);
        }
        out.getBuffer().setLength(0);
        assertEquals(0, ask(dense, "--question", "What?", "--context", CONTEXT, "--routing"));
        assertTrue(out.toString().contains("dense"), out.toString());
    }

    private static int heading(List<String> lines, String title) {
        return lines.indexOf(lines.stream().filter(line -> line.startsWith(title)).findFirst().orElseThrow());
    }

    @Test
    void takesTheModelsConfigurationOfGeneration() throws IOException {
        Path file = dense.resolve("generation_config.json");
        String before = Files.readString(file);
        try {
            Files.writeString(file, "{\"num_beams\": 3, \"early_stopping\": \"never\", \"max_new_tokens\": 4}");
            assertEquals(0, ask(dense, "--question", "What?", "--context", CONTEXT, "--num-return-sequences", "3"),
                    err.toString());
            assertEquals(3, out.toString().lines().count(), out.toString());
            Files.writeString(file, "{\"repetition_penalty\": 1.3}");
            refuses("repetition_penalty", "--question", "What?", "--context", CONTEXT);
            Files.writeString(file, "{\"early_stopping\": \"sometimes\"}");
            refuses("early_stopping", "--question", "What?", "--context", CONTEXT);
        } finally {
            Files.writeString(file, before);
        }
        assertFalse(StrictJson.readObject(file).isEmpty());
    }

    @Test
    void refusesInOneSentenceWhatCannotBe() {
        refuses("--context", "--question", "What?");
        refuses("num_beams", "--question", "What?", "--context", "x", "--num-beams", "0");
        refuses("temperature", "--question", "What?", "--context", "x", "--temperature", "0");
        refuses("num_return_sequences", "--question", "What?", "--context", "x", "--num-return-sequences", "2");
        refuses("min_new_tokens", "--question", "What?", "--context", "x", "--min-new-tokens", "40");
        refuses("--max-sequence-length", "--question", "What?", "--context", "x", "--max-sequence-length", "0");
    }

    private void refuses(String named, String... arguments) {
        err.getBuffer().setLength(0);
        assertEquals(2, ask(dense, arguments), out.toString());
        String message = err.toString().strip();
        assertTrue(message.startsWith("error: ") && message.contains(named), message);
        assertEquals(1, message.lines().count(), message);
    }

    private int typing(String text, Path model) {
        InputStream before = System.in;
        try {
            System.setIn(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
            return ask(model);
        } finally {
            System.setIn(before);
        }
    }

    private int ask(Path model, String... arguments) {
        List<String> all = new ArrayList<>(List.of("--model", model.toString(), "--device", "cpu"));
        all.addAll(Arrays.asList(arguments));
        return new CommandLine(new AskCommand()).setExecutionExceptionHandler(new UserErrorHandler())
                .setCaseInsensitiveEnumValuesAllowed(true).setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true)).execute(all.toArray(String[]::new));
    }
}
