package io.mixt5.train.command;

import io.mixt5.engine.UserException;
import io.mixt5.model.GenerationConfig;
import io.mixt5.model.T5Model;
import io.mixt5.model.io.UserFiles;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.data.SquadPairs;
import io.mixt5.train.run.Answerer;
import io.mixt5.train.run.Progress;
import io.mixt5.train.squad.SquadExample;
import io.mixt5.train.squad.SquadPredictions;
import io.mixt5.train.squad.SquadPrompt;
import io.mixt5.train.squad.SquadReader.Answers;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Answers the questions of a SQuAD file with a model and writes the answers in SQuAD's form. */
@Command(name = "predict", mixinStandardHelpOptions = true,
        description = "Answers the questions of a SQuAD data set; the answers can be scored by evaluate.")
public final class PredictCommand implements Callable<Integer> {
    @Option(names = "--model", required = true, paramLabel = "DIR",
            description = "The model: config.json, model.safetensors, spiece.model.")
    private Path model;

    @Option(names = "--data", required = true, paramLabel = "FILE",
            description = "The questions, SQuAD v1.1, .json or .json.gz.")
    private Path data;

    @Option(names = "--output", required = true, paramLabel = "FILE",
            description = "Where the answers go, by question id.")
    private Path output;

    @Option(names = "--batch-size", defaultValue = "16", paramLabel = "N",
            description = "Questions at a time; default ${DEFAULT-VALUE}.")
    private int batchSize;

    @Mixin
    private SourceOptions source;

    @Mixin
    private GenerationOptions generation;

    @Mixin
    private DeviceOptions device;

    @Override
    public Integer call() {
        Checks.atLeast("--batch-size", batchSize, 1);
        int length = source.maxSequenceLength();
        GenerationConfig config = generation.over(model);
        if (config.numReturnSequences > 1) {
            throw new UserException("num_return_sequences is " + config.numReturnSequences
                    + " in the model's generation_config.json, but a SQuAD file takes one answer a question; set it to 1");
        }
        UserFiles.requireWritableDirectory(output.toAbsolutePath().getParent());
        List<SquadExample> questions = SquadPairs.examples(data, Answers.OPTIONAL, Integer.MAX_VALUE);
        try (T5Tokenizer tokenizer = T5Tokenizer.load(model).withAddedTokens(SquadPrompt.MARKERS);
                T5Model loaded = device.load(model);
                Progress progress = new Progress(System.err, "answering", "questions", 0, questions.size())) {
            Answerer answerer = new Answerer(loaded, tokenizer, length, config, batchSize);
            SquadPredictions.write(output, answerer.answer(questions, done -> progress.step(done, "")));
        }
        return ExitCode.OK;
    }
}
