package io.mixt5.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.bench.report.ReportCommand;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.TimedCase;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;
import picocli.CommandLine;

/** Runs every benchmark once, on the smallest model and in this JVM, and what comes of the results. */
class QuickSuiteTest {
    private static final List<Class<?>> CLASSES = List.of(Limits.class, Forward.class, Backward.class, Gemm.class,
            Layer.class, TrainingStep.class, Generation.class);

    static {
        // Nothing is timed here, so that another run of JMH on this machine does no harm.
        System.setProperty("jmh.ignoreLock", "true");
    }

    @TempDir
    private Path directory;

    @Test
    void everyBenchmarkRunsAndIsReported() throws RunnerException, IOException {
        Path file = directory.resolve("quick.json");
        // With -Ppeers LibTorch's are among them, shown beside the engine's, and cuDNN's, which need a GPU.
        Collection<RunResult> results = new Runner(new OptionsBuilder().include("io\\.mixt5\\.bench\\.\\w+\\.\\w+")
                .exclude("Cudnn")
                .mode(Mode.SingleShotTime).forks(0).warmupIterations(0).measurementIterations(1)
                .param("size", "tiny").param("mebibytes", "1").param("n", "64").param("experts", "0", "4")
                .param("sequences", "2")
                .param("layer", "dense", "dense x2", "top-1 of 4", "top-2 of 8", "top-1 of 4 capacity 1.25 skewed")
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT).resultFormat(ResultFormatType.JSON).result(file.toString()).build())
                .run();
        Set<String> run = results.stream().map(result -> result.getParams().getBenchmark())
                .collect(Collectors.toCollection(TreeSet::new));
        assertTrue(run.containsAll(benchmarks()), "only these ran: " + run);
        for (RunResult result : results) {
            assertEquals("cpu", result.getParams().getParam("device"));
            assertTrue(result.getPrimaryResult().getScore() > 0, result.getParams().id());
            assertTrue(result.getSecondaryResults().values().stream().anyMatch(work -> work.getScore() > 0),
                    result.getParams().id() + " does not say what it does");
        }
        assertEquals(0, new CommandLine(new ReportCommand()).execute(file.toString()));
        String page = Files.readString(directory.resolve("quick.html"));
        for (String title : List.of("The machine", "Whole steps", "The mixture", "By number of experts",
                "Matrix products", "Ops forward", "Ops backward")) {
            assertTrue(page.contains(title), title);
        }
        long own = results.stream().filter(result -> !result.getParams().getBenchmark().contains(".Torch")).count();
        assertEquals(own, Files.readString(directory.resolve("quick.md")).lines()
                .filter(line -> line.contains(" s ") || line.contains("ms") || line.contains("µs")).count());
    }

    private static Set<String> benchmarks() {
        return CLASSES.stream().flatMap(type -> Stream.of(type.getDeclaredMethods()))
                .filter(method -> method.isAnnotationPresent(Benchmark.class)).map(QuickSuiteTest::name)
                .collect(Collectors.toSet());
    }

    private static String name(Method method) {
        return method.getDeclaringClass().getName() + "." + method.getName();
    }

    @Test
    void everyOpIsTimedForwardAndWhereItCanBackward() throws NoSuchFieldException {
        ModelSize size = new ModelSize();
        size.size = "tiny";
        List<TimedCase> cases = OpInput.cases(size.ops());
        assertEquals(names(cases.stream()), names(Forward.Input.class));
        assertEquals(names(cases.stream().filter(timed -> timed.backward() != null)), names(Backward.Input.class));
    }

    @Test
    void emulatorCountsInsteadOfTiming() {
        ModelSize size = new ModelSize();
        size.size = "tiny";
        DeviceState state = new DeviceState();
        state.device = "emulator";
        state.open();
        try (OpInput input = new OpInput(state, size.ops(), "add"); Scope scope = new Scope(state.get())) {
            input.timed().work().body().run(Tape.inference(scope), input.tensors());
        }
        assertTrue(
                state.counted().matches("(?s).*add_\\w+ +1 launches .* 1\\.00 of the least bytes  1\\.00 coalesced.*"),
                state.counted());
    }

    private static Set<String> names(Stream<TimedCase> cases) {
        return cases.map(timed -> timed.work().name()).collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> names(Class<?> input) throws NoSuchFieldException {
        return new TreeSet<>(List.of(input.getField("op").getAnnotation(Param.class).value()));
    }
}
