package io.mixt5.train.command;

import io.mixt5.train.experiment.Comparison;
import io.mixt5.train.experiment.Experiment;
import io.mixt5.train.run.StopSignal;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Parameters;

/** Runs variants of a fine-tuning over shared settings and seeds and prints tables of their scores. */
@Command(name = "compare", mixinStandardHelpOptions = true,
        description = "Runs the variants of an experiment over its seeds and prints their scores; the same command goes on "
                + "where an interrupted one stopped.")
public final class CompareCommand implements Callable<Integer> {
    @Parameters(paramLabel = "EXPERIMENT", description = "The experiment, JSON; train/examples has some.")
    private Path experiment;

    @Override
    public Integer call() {
        try (StopSignal stop = new StopSignal()) {
            boolean finished = new Comparison(Experiment.read(experiment), System.out).run(stop::requested);
            return finished ? ExitCode.OK : stop.exitCode();
        }
    }
}
