package io.mixt5.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.train.config.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Times whole training steps, as {@link TrainingWork} has them. Prints one JSON object. */
@Command(name = "step", mixinStandardHelpOptions = true,
        description = "Times training steps and prints one JSON object.")
final class StepCommand implements Callable<Integer> {
    @Mixin
    private WorkOptions options;

    @Option(names = "--tgt", defaultValue = "32", description = "Target tokens a sequence; default ${DEFAULT-VALUE}.")
    private int target;

    @Option(names = "--top-k", defaultValue = "1", description = "Experts a token; default ${DEFAULT-VALUE}.")
    private int topK;

    @Option(names = "--ragged",
            description = "Batches of eight with the lengths of SQuAD's questions, another one each step; without --batch, --src, --tgt.")
    private boolean ragged;

    @Override
    public Integer call() throws IOException {
        T5Config config = TrainingWork.config(T5Config.preset(options.size), options.experts, topK);
        List<T5Batch> batches = ragged
                ? SquadLengths.batches(config)
                : List.of(RandomData.batch(config, options.batch, options.source, target));
        try (TrainingWork work = new TrainingWork(config, Devices.open(options.device), batches)) {
            print(work.model(), options.time(work::step), tokens(batches));
        }
        return ExitCode.OK;
    }

    /** Source tokens of the steps that count. */
    private long tokens(List<T5Batch> batches) {
        return IntStream.range(options.warmup, options.warmup + options.passes)
                .mapToLong(step -> batches.get(step % batches.size()).source().ids().length).sum();
    }

    private void print(T5Model model, WorkOptions.Seconds seconds, long tokens) throws IOException {
        Map<String, Object> report = options.report(model.device());
        report.put("top_k", options.experts == 0 ? 0 : topK);
        if (ragged) {
            report.put("lengths", "SQuAD");
        } else {
            report.put("batch", options.batch);
            report.put("src", options.source);
            report.put("tgt", target);
        }
        report.put("parameters", model.parameters().count());
        report.put("loss", seconds.last());
        report.put("step_s", seconds.report());
        report.put("source_tokens_per_s", tokens / seconds.total());
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
