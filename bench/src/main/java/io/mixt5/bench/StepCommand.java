package io.mixt5.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.mixt5.engine.Philox;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GradNorm;
import io.mixt5.model.MixtureConfig;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.train.config.Devices;
import io.mixt5.train.optim.AdamWOptimizer;
import io.mixt5.train.optim.Optimizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/**
 * Times whole training steps: random weights, random tokens, forward with dropout, backward, clipping to norm 1 and AdamW.
 * Prints one JSON object.
 */
@Command(name = "step", mixinStandardHelpOptions = true,
        description = "Times training steps and prints one JSON object.")
final class StepCommand implements Callable<Integer> {
    private static final long SEED = 42;
    private static final int FIRST_WORD = 3;

    @Option(names = "--size", defaultValue = "small", description = "tiny, small or base; default ${DEFAULT-VALUE}.")
    private String size;

    @Option(names = "--batch", defaultValue = "8", description = "Sequences a step; default ${DEFAULT-VALUE}.")
    private int batch;

    @Option(names = "--src", defaultValue = "512", description = "Source tokens a sequence; default ${DEFAULT-VALUE}.")
    private int source;

    @Option(names = "--tgt", defaultValue = "32", description = "Target tokens a sequence; default ${DEFAULT-VALUE}.")
    private int target;

    @Option(names = "--steps", defaultValue = "5", description = "Steps that count; default ${DEFAULT-VALUE}.")
    private int steps;

    @Option(names = "--warmup", defaultValue = "3", description = "Steps before those; default ${DEFAULT-VALUE}.")
    private int warmup;

    @Option(names = "--experts", defaultValue = "0",
            description = "Experts of the last half of the blocks; 0 for a dense model. Default ${DEFAULT-VALUE}.")
    private int experts;

    @Option(names = "--top-k", defaultValue = "1", description = "Experts a token; default ${DEFAULT-VALUE}.")
    private int topK;

    @Option(names = "--device", defaultValue = "cpu", description = "Where to run; default ${DEFAULT-VALUE}.")
    private String device;

    @Override
    public Integer call() throws IOException {
        T5Config config = experts == 0 ? T5Config.preset(size) : T5Config.preset(size).with(mixture());
        try (T5Model model = T5Model.random(config, Devices.open(device), SEED);
                Optimizer optimizer = new AdamWOptimizer(model.parameters().all(), p -> 0.01, 0.9, 0.999, 1e-8)) {
            T5Batch data = T5Batch.of(words(config, source, 0), words(config, target, 1), config);
            double[] seconds = new double[steps];
            double loss = 0;
            for (int step = -warmup; step < steps; step++) {
                long start = System.nanoTime();
                loss = step(model, optimizer, data, step + warmup);
                if (step >= 0) {
                    seconds[step] = (System.nanoTime() - start) * 1e-9;
                }
            }
            print(model, seconds, loss);
        }
        return ExitCode.OK;
    }

    private MixtureConfig mixture() {
        MixtureConfig mixture = new MixtureConfig();
        mixture.activateMoe = true;
        mixture.numLocalExperts = experts;
        mixture.numExpertsPerTok = topK;
        mixture.numMoeLayers = T5Config.preset(size).numLayers / 2;
        return mixture;
    }

    private static double step(T5Model model, Optimizer optimizer, T5Batch data, int step) {
        try (Scope scope = new Scope(model.device())) {
            model.parameters().clearGradients();
            Tape tape = Tape.training(scope, SEED, step);
            Tensor loss = model.forward(tape, data).loss();
            tape.backward(loss);
            List<Tensor> gradients = model.parameters().gradients();
            optimizer.step(1e-5, GradNorm.apply(scope, gradients), 1);
            return loss.toFloats()[0];
        }
    }

    private List<int[]> words(T5Config config, int length, int stream) {
        int range = config.vocabSize - FIRST_WORD;
        return IntStream.range(0, batch).mapToObj(b -> IntStream.range(0, length)
                .map(i -> FIRST_WORD + Integer.remainderUnsigned(Philox.bits(SEED, stream, b, i), range)).toArray())
                .toList();
    }

    private void print(T5Model model, double[] seconds, double loss) throws IOException {
        Arrays.sort(seconds);
        double median = (seconds[(steps - 1) / 2] + seconds[steps / 2]) / 2;
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("size", size);
        report.put("device", model.device().name());
        report.put("experts", experts);
        report.put("top_k", experts == 0 ? 0 : topK);
        report.put("batch", batch);
        report.put("src", source);
        report.put("tgt", target);
        report.put("parameters", model.parameters().count());
        report.put("loss", loss);
        report.put("step_s", Map.of("median", median, "min", seconds[0], "max", seconds[steps - 1]));
        report.put("source_tokens_per_s", batch * source / median);
        report.put("peak_rss_mib", peakResidentMebibytes());
        System.out.println(new ObjectMapper().writeValueAsString(report));
    }

    /** The process's largest resident memory so far; null where the system does not tell. */
    private static Long peakResidentMebibytes() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return null;
        }
        try (var lines = Files.lines(status)) {
            return lines.filter(line -> line.startsWith("VmHWM:"))
                    .map(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
                    .findFirst().orElse(null);
        }
    }
}
