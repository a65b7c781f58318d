package io.mixt5.train.command;

import io.mixt5.train.squad.SquadExample;
import io.mixt5.train.squad.SquadMetric;
import io.mixt5.train.squad.SquadPredictions;
import io.mixt5.train.squad.SquadReader;
import io.mixt5.train.squad.SquadScore;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Scores predictions: prints the object that SQuAD's script prints, and what is odd to the standard error. */
@Command(name = "evaluate", mixinStandardHelpOptions = true,
        description = "Scores predictions on a SQuAD data set: exact match and F1, in per cent, as one JSON object.")
public final class EvaluateCommand implements Callable<Integer> {
    @Option(names = "--data", required = true, paramLabel = "FILE",
            description = "The data set, SQuAD v1.1, .json or .json.gz.")
    private Path data;

    @Option(names = "--predictions", required = true, paramLabel = "FILE",
            description = "The predictions: one JSON object of question ids and texts.")
    private Path predictions;

    @Option(names = "--metric", defaultValue = "official", paramLabel = "NAME",
            description = "${COMPLETION-CANDIDATES}; default ${DEFAULT-VALUE}.")
    private SquadMetric metric;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter warnings = spec.commandLine().getErr();
        Map<String, String> predicted = SquadPredictions.read(predictions);
        Set<String> unknown = new HashSet<>(predicted.keySet());
        SquadScore score = new SquadScore(metric);
        try (SquadReader reader = SquadReader.open(data, SquadReader.Answers.REQUIRED)) {
            while (reader.hasNext()) {
                SquadExample example = reader.next();
                score.add(predicted.get(example.id()), example.answerTexts());
                unknown.remove(example.id());
            }
            warn(warnings, reader.unanswerable(), "questions are unanswerable and left out");
        }
        warn(warnings, score.missing(), "of " + score.total() + " questions have no prediction and score 0");
        warn(warnings, unknown.size(), "predictions are for no question of the data set and left out");
        spec.commandLine().getOut().println(score.toJson());
        return 0;
    }

    private static void warn(PrintWriter warnings, long count, String what) {
        if (count > 0) {
            warnings.println("warning: " + count + " " + what);
        }
    }
}
