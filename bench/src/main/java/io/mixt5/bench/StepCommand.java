package io.mixt5.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.train.config.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/** Times whole training steps, as {@link TrainingWork} has them. Prints one JSON object. */
@Command(name = "step", mixinStandardHelpOptions = true,
        description = "Times training steps and prints one JSON object.")
final class StepCommand implements Callable<Integer> {
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
        try (TrainingWork work = new TrainingWork(TrainingWork.config(T5Config.preset(size), experts, topK),
                Devices.open(device), batch, source, target)) {
            double[] seconds = new double[steps];
            double loss = 0;
            for (int step = -warmup; step < steps; step++) {
                long start = System.nanoTime();
                loss = work.step();
                if (step >= 0) {
                    seconds[step] = (System.nanoTime() - start) * 1e-9;
                }
            }
            print(work.model(), seconds, loss);
        }
        return ExitCode.OK;
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
