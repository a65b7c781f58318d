package io.mixt5.train;

import io.mixt5.train.command.CompareCommand;
import io.mixt5.train.command.DoctorCommand;
import io.mixt5.train.command.EvaluateCommand;
import io.mixt5.train.command.ExportCommand;
import io.mixt5.train.command.PredictCommand;
import io.mixt5.train.command.TokenizeCommand;
import io.mixt5.train.command.UpcycleCommand;
import io.mixt5.train.command.UserErrorHandler;
import io.mixt5.train.config.TrainConfig;
import io.mixt5.train.run.StopSignal;
import io.mixt5.train.run.TrainingRun;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command line of MixT5. Exit codes: 0 done, 1 a bug, 2 something the user can mend, 130 and 143 interrupted. */
@Command(name = "mixt5-train.jar", mixinStandardHelpOptions = true, version = "mixt5 0.1.0",
        description = "Fine-tunes a T5 as a configuration file says, or runs one of the commands below.",
        subcommands = {EvaluateCommand.class, PredictCommand.class, TokenizeCommand.class, DoctorCommand.class,
                UpcycleCommand.class, ExportCommand.class, CompareCommand.class})
public final class Main implements Callable<Integer> {
    @Parameters(paramLabel = "CONFIG", arity = "0..1", description = "The training run, JSON; train/examples has some.")
    private Path config;

    @Spec
    private CommandSpec spec;

    private Main() {
    }

    /** Runs the command that {@code args} name and ends the process. */
    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    /** The command line, for tests. */
    static CommandLine commandLine() {
        return new CommandLine(new Main()).setExecutionExceptionHandler(new UserErrorHandler())
                .setCaseInsensitiveEnumValuesAllowed(true);
    }

    @Override
    public Integer call() {
        if (config == null) {
            throw new ParameterException(spec.commandLine(), "Name a configuration or a command.");
        }
        TrainConfig run = TrainConfig.load(config);
        // The signal is heard from the start, so that a run stopped while it reads its data leaves nothing half-made.
        try (StopSignal stop = new StopSignal(); TrainingRun training = new TrainingRun(run, System.out)) {
            training.run(stop::requested);
        }
        return CommandLine.ExitCode.OK;
    }
}
