package io.mixt5.train.command;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Device;
import io.mixt5.model.T5Model;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.SmallModel;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class UpcycleCommandTest {
    private static final double EQUAL = 1e-5;

    @TempDir
    static Path dense;
    @TempDir
    private Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private Path child;

    @BeforeAll
    static void makeParent() {
        SmallModel.write(SmallModel.shape(), dense, dense);
    }

    @BeforeEach
    void nameTheChild() {
        child = directory.resolve("child");
    }

    @Test
    void oneExpertATokenPreservesTheLogits() {
        assertEquals(0, run("--experts", "4"), err.toString());
        assertTrue(receipt() < EQUAL, out.toString());
        assertTrue(out.toString().contains("mixtures in the encoder      blocks 1 of 2"), out.toString());
        assertTrue(out.toString().contains("gate preserving"), out.toString());
        assertTrue(out.toString().contains("about 1e-5 or less"), out.toString());
    }

    @Test
    void twoRenormalizedExpertsATokenPreserveThemToo() {
        assertEquals(0, run("--experts", "4", "--top-k", "2", "--first-moe-layer", "0"), err.toString());
        assertTrue(receipt() < EQUAL, out.toString());
        assertTrue(out.toString().contains("gate renormalized"), out.toString());
        assertTrue(out.toString().contains("mixtures in the decoder      blocks 0, 1 of 2"), out.toString());
    }

    @Test
    void noiseAndARawGateShowInTheReceipt() {
        assertEquals(0, run("--experts", "4", "--noise", "0.1", "--moe-layer-step", "2"), err.toString());
        assertTrue(receipt() > EQUAL, out.toString());
        assertTrue(out.toString().contains("perturbed"), out.toString());
        child = directory.resolve("raw");
        assertEquals(0, run("--experts", "4", "--gate", "raw"), err.toString());
        assertTrue(receipt() > EQUAL, out.toString());
        assertTrue(out.toString().contains("The gate is raw"), out.toString());
    }

    @Test
    void theChildIsAModelsDirectoryAndTheSameEveryTime() throws Exception {
        assertEquals(0, run("--experts", "4", "--noise", "0.1", "--seed", "7"), err.toString());
        Path first = child;
        try (T5Model loaded = T5Model.load(child, Device.of("cpu")); T5Tokenizer tokenizer = T5Tokenizer.load(child)) {
            assertEquals(4, loaded.config().mixture().numLocalExperts);
            assertTrue(tokenizer.vocabularySize() > 0);
            assertTrue(out.toString().contains("%,d parameters".formatted(loaded.parameters().count())));
            loaded.save(directory.resolve("again"));
        }
        child = directory.resolve("second");
        assertEquals(0, run("--experts", "4", "--noise", "0.1", "--seed", "7"), err.toString());
        for (Path other : List.of(directory.resolve("again"), child)) {
            for (String file : List.of("model.safetensors", "config.json")) {
                assertArrayEquals(Files.readAllBytes(first.resolve(file)), Files.readAllBytes(other.resolve(file)),
                        file);
            }
        }
        try (var files = Files.list(directory)) {
            assertFalse(files.anyMatch(file -> file.getFileName().toString().startsWith(".")), "nothing left aside");
        }
    }

    @Test
    void anEmptyTargetIsTakenAndAFullOneRefused() throws Exception {
        Files.createDirectories(child);
        assertEquals(0, run("--experts", "2"), err.toString());
        byte[] before = Files.readAllBytes(child.resolve("model.safetensors"));
        refuses("is not empty", "--experts", "4");
        assertArrayEquals(before, Files.readAllBytes(child.resolve("model.safetensors")));
    }

    @Test
    void refusesInOneSentenceWhatCannotBe() throws Exception {
        assertEquals(0, run("--experts", "2"), err.toString());
        Path mixture = child;
        child = directory.resolve("grandchild");
        refuses("is a mixture of experts already", "--experts", "4", "--from", mixture.toString());
        refuses("there is no directory", "--experts", "4", "--from", directory.resolve("none").toString());
        refuses("num_experts_per_tok", "--experts", "2", "--top-k", "3");
        refuses("num_local_experts", "--experts", "0");
        refuses("no block would become a mixture", "--experts", "2", "--first-moe-layer", "2");
        refuses("lambda", "--experts", "2", "--noise", "-1");
        refuses("mutually exclusive", "--experts", "2", "--first-moe-layer", "1", "--moe-layer-step", "2");
        assertFalse(Files.exists(child));
        child = Files.writeString(directory.resolve("file"), "x");
        refuses("is a file", "--experts", "2");
        child = directory.resolve("file/below");
        refuses("cannot write", "--experts", "2");
    }

    private void refuses(String message, String... arguments) {
        err.getBuffer().setLength(0);
        assertEquals(2, run(arguments), message);
        assertTrue(err.toString().contains(message), err.toString());
        assertFalse(err.toString().contains("\tat "), err.toString());
    }

    private double receipt() {
        return out.toString().lines().filter(line -> line.startsWith("largest logit difference"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ')))).reduce((a, b) -> b)
                .orElseThrow();
    }

    private int run(String... more) {
        CommandLine command = new CommandLine(new UpcycleCommand()).setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true)).setExecutionExceptionHandler(new UserErrorHandler())
                .setCaseInsensitiveEnumValuesAllowed(true);
        List<String> given = List.of(more);
        List<String> arguments = new java.util.ArrayList<>(given);
        if (!given.contains("--from")) {
            arguments.addAll(List.of("--from", dense.toString()));
        }
        arguments.addAll(List.of("--to", child.toString()));
        return command.execute(arguments.toArray(String[]::new));
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, Device.of("cpu").liveTensors());
    }
}
