package io.mixt5.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.mixt5.model.GenerationConfig;
import io.mixt5.model.Generator;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.train.config.Devices;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Times generation: random weights, random source tokens, exactly so many new tokens, the encoder's pass included. Prints one
 * JSON object. {@code hf_generate.py} times the same work in transformers.
 */
@Command(name = "generate", mixinStandardHelpOptions = true,
        description = "Times generation and prints one JSON object.")
final class GenerateCommand implements Callable<Integer> {
    @Mixin
    private WorkOptions options;

    @Option(names = "--new-tokens", defaultValue = "64",
            description = "Tokens written for each source; default ${DEFAULT-VALUE}.")
    private int newTokens;

    @Option(names = "--num-beams", defaultValue = "1", description = "Beams; 1 for greedy. Default ${DEFAULT-VALUE}.")
    private int numBeams;

    @Override
    public Integer call() throws IOException {
        T5Config config = TrainingWork.config(T5Config.preset(options.size), options.experts, 1);
        try (T5Model model = T5Model.random(config, Devices.open(options.device), RandomData.SEED)) {
            Generator generator = new Generator(model, generation());
            List<int[]> sources = RandomData.words(config, options.batch, options.source, 0);
            print(model, options.time(() -> generator.generate(sources).size()));
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

    private void print(T5Model model, WorkOptions.Seconds seconds) throws IOException {
        Map<String, Object> report = options.report(model.device());
        report.put("batch", options.batch);
        report.put("src", options.source);
        report.put("new_tokens", newTokens);
        report.put("num_beams", numBeams);
        report.put("generate_s", seconds.report());
        report.put("new_tokens_per_s", options.batch * newTokens / seconds.median());
        System.out.println(new ObjectMapper().writeValueAsString(report));
    }
}
