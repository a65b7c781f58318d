package io.mixt5.train.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Device;
import io.mixt5.model.T5Model;
import io.mixt5.train.SmallModel;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs every example and looks at what it prints. */
class LibraryExamplesTest {
    private static final Pattern NUMBER = Pattern.compile("-?\\d+(?:\\.\\d+)?(?:E-?\\d+)?");

    @TempDir
    private static Path dense;
    @TempDir
    private Path directory;

    @BeforeAll
    static void makeModel() {
        SmallModel.write(SmallModel.shape(), dense.resolve("data"), dense);
    }

    @Test
    void forwardAndBackward() {
        List<String> lines = run(ForwardBackwardExample::main, dense);
        assertTrue(numbers(lines.getFirst())[0] > 0, lines.getFirst());
        assertTrue(lines.get(1).startsWith("logits [") && lines.get(1).contains("512"), lines.get(1));
        assertTrue(lines.stream().anyMatch(line -> line.startsWith("encoder.block.0.layer.0.SelfAttention.q.weight")));
    }

    @Test
    void aLoopOfOnesOwn() {
        List<String> lines = run(TrainingLoopExample::main, directory.resolve("trained"));
        assertEquals(5, lines.size());
        double first = numbers(lines.getFirst())[1];
        double last = numbers(lines.getLast())[1];
        assertTrue(last < first / 10, lines.toString());
        try (T5Model saved = T5Model.load(directory.resolve("trained"), Device.of("cpu"))) {
            assertEquals(32, saved.config().vocabSize);
        }
    }

    @Test
    void anOpOfOnesOwn() {
        List<String> lines = run(OwnOpExample::main);
        assertEquals(5, lines.size());
        for (String line : lines) {
            assertEquals(numbers(line)[1], numbers(line)[0], 1e-5, line);
        }
    }

    @Test
    void generation() {
        List<String> lines = run(GenerationExample::main, dense, Path.of("He plays the violin."), Path.of("A"));
        assertEquals(2, lines.size());
        assertTrue(lines.getFirst().startsWith("He plays the violin. -> "), lines.getFirst());
    }

    @Test
    void upcyclingAndWhatTheRoutersDo() {
        List<String> lines = run(UpcyclingExample::main, dense, directory.resolve("moe"));
        assertTrue(numbers(lines.getFirst())[1] > numbers(lines.getFirst())[0], lines.getFirst());
        assertTrue(numbers(lines.getLast())[0] < 1e-5, lines.getLast());
        List<String> layers = run(RoutingStatisticsExample::main, directory.resolve("moe"));
        assertEquals(4, layers.size());
        assertTrue(layers.getFirst().startsWith("encoder.block.1.layer.1: tokens per expert ["), layers.getFirst());
        assertTrue(layers.getFirst().contains("dropped 0.0 %"), layers.getFirst());
        assertTrue(layers.getLast().endsWith("experts alike by 1.000"), layers.getLast());
    }

    private static List<String> run(Consumer<String[]> main, Path... arguments) {
        PrintStream out = System.out;
        Locale locale = Locale.getDefault();
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        Locale.setDefault(Locale.ROOT);
        try {
            String[] texts = new String[arguments.length];
            for (int i = 0; i < texts.length; i++) {
                texts[i] = arguments[i].toString();
            }
            main.accept(texts);
        } finally {
            System.setOut(out);
            Locale.setDefault(locale);
        }
        return printed.toString(StandardCharsets.UTF_8).lines().toList();
    }

    private static double[] numbers(String line) {
        return NUMBER.matcher(line).results().map(MatchResult::group).mapToDouble(Double::parseDouble)
                .toArray();
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, Device.of("cpu").liveTensors());
    }
}
