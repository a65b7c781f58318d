package io.mixt5.train.command;

import io.mixt5.engine.Device;
import io.mixt5.engine.UserException;
import io.mixt5.model.Precision;
import io.mixt5.model.T5Model;
import io.mixt5.model.io.UserFiles;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.config.Devices;
import io.mixt5.train.data.SquadPairs;
import io.mixt5.train.run.Answerer;
import io.mixt5.train.run.Progress;
import io.mixt5.train.squad.SquadExample;
import io.mixt5.train.squad.SquadPredictions;
import io.mixt5.train.squad.SquadPrompt;
import io.mixt5.train.squad.SquadReader.Answers;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
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

    @Option(names = "--max-sequence-length", defaultValue = "512", paramLabel = "N",
            description = "Tokens that a question with its context is cut at; default ${DEFAULT-VALUE}.")
    private int maxSequenceLength;

    @Option(names = "--generation-max-length", defaultValue = "30", paramLabel = "N",
            description = "Most tokens of an answer, the start token counted; default ${DEFAULT-VALUE}.")
    private int generationMaxLength;

    @Option(names = "--device", defaultValue = "auto", paramLabel = "NAME",
            description = "Where to run: cpu, cuda, cuda:N, or auto for a GPU where there is one; default ${DEFAULT-VALUE}.")
    private String device;

    @Option(names = "--precision", defaultValue = "fp32", paramLabel = "NAME",
            description = "What to compute in: ${COMPLETION-CANDIDATES}; default ${DEFAULT-VALUE}.")
    private Precision precision;

    @Override
    public Integer call() {
        atLeast("--batch-size", batchSize, 1);
        atLeast("--max-sequence-length", maxSequenceLength, 1);
        atLeast("--generation-max-length", generationMaxLength, 2);
        UserFiles.requireWritableDirectory(output.toAbsolutePath().getParent());
        List<SquadExample> questions = SquadPairs.examples(data, Answers.OPTIONAL, Integer.MAX_VALUE);
        Device on = Devices.open(device);
        precision.requireOn(on);
        try (T5Tokenizer tokenizer = T5Tokenizer.load(model).withAddedTokens(SquadPrompt.MARKERS);
                T5Model loaded = T5Model.load(model, on);
                Progress progress = new Progress(System.err, "answering", "questions", 0, questions.size())) {
            Answerer answerer = new Answerer(loaded.compute(precision), tokenizer, maxSequenceLength,
                    generationMaxLength, batchSize);
            Map<String, String> answers = answerer.answer(questions, done -> progress.step(done, ""));
            SquadPredictions.write(output, answers);
        }
        return ExitCode.OK;
    }

    private static void atLeast(String option, int value, int least) {
        if (value < least) {
            throw new UserException(option + " is " + value + "; give at least " + least);
        }
    }
}
