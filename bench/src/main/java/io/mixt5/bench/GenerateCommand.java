package io.mixt5.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.mixt5.model.GenerationConfig;
import io.mixt5.model.Generator;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.train.config.Devices;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;

/**
 * Times generation: random weights, random source tokens, exactly so many new tokens, the encoder's pass included. Prints one
 * JSON object. {@code hf_generate.py} times the same work in transformers.
 */
@Command(name = "generate", mixinStandardHelpOptions = true,
        description = "Times generation and prints one JSON object.")
final class GenerateCommand implements Callable<Integer> {
    @Option(names = "--size", defaultValue = "small", description = "tiny, small or base; default ${DEFAULT-VALUE}.")
    private String size;

    @Option(names = "--batch", defaultValue = "8", description = "Sources at a time; default ${DEFAULT-VALUE}.")
    private int batch;

    @Option(names = "--src", defaultValue = "512", description = "Tokens of a source; default ${DEFAULT-VALUE}.")
    private int source;

    @Option(names = "--new-tokens", defaultValue = "64",
            description = "Tokens written for each source; default ${DEFAULT-VALUE}.")
    private int newTokens;

    @Option(names = "--num-beams", defaultValue = "1", description = "Beams; 1 for greedy. Default ${DEFAULT-VALUE}.")
    private int numBeams;

    @Option(names = "--runs", defaultValue = "5", description = "Runs that count; default ${DEFAULT-VALUE}.")
    private int runs;

    @Option(names = "--warmup", defaultValue = "3", description = "Runs before those; default ${DEFAULT-VALUE}.")
    private int warmup;

    @Option(names = "--experts", defaultValue = "0",
            description = "Experts of the last half of the blocks; 0 for a dense model. Default ${DEFAULT-VALUE}.")
    private int experts;

    @Option(names = "--device", defaultValue = "cpu", description = "Where to run; default ${DEFAULT-VALUE}.")
    private String device;

    @Override
    public Integer call() throws IOException {
        T5Config config = TrainingWork.config(T5Config.preset(size), experts, 1);
        try (T5Model model = T5Model.random(config, Devices.open(device), RandomData.SEED)) {
            Generator generator = new Generator(model, generation());
            List<int[]> sources = RandomData.words(config, batch, source, 0);
            double[] seconds = new double[runs];
            for (int run = -warmup; run < runs; run++) {
                long start = System.nanoTime();
                generator.generate(sources);
                if (run >= 0) {
                    seconds[run] = (System.nanoTime() - start) * 1e-9;
                }
            }
            print(model, seconds);
        }
        return ExitCode.OK;
    }

    private GenerationConfig generation() {
        GenerationConfig config = new GenerationConfig();
        config.maxNewTokens = newTokens;
        config.minNewTokens = newTokens;
        config.numBeams = numBeams;
        return config;
    }

    private void print(T5Model model, double[] seconds) throws IOException {
        Arrays.sort(seconds);
        double median = (seconds[(runs - 1) / 2] + seconds[runs / 2]) / 2;
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("size", size);
        report.put("device", model.device().name());
        report.put("experts", experts);
        report.put("batch", batch);
        report.put("src", source);
        report.put("new_tokens", newTokens);
        report.put("num_beams", numBeams);
        report.put("generate_s", Map.of("median", median, "min", seconds[0], "max", seconds[runs - 1]));
        report.put("new_tokens_per_s", batch * newTokens / median);
        System.out.println(new ObjectMapper().writeValueAsString(report));
    }
}
