package io.mixt5.bench;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line of the benchmarks. */
@Command(name = "mixt5-bench.jar", mixinStandardHelpOptions = true, version = "mixt5 0.1.0",
        description = "Measures MixT5.", subcommands = {StepCommand.class, GenerateCommand.class})
public final class Main implements Runnable {
    @Spec
    private CommandSpec spec;

    private Main() {
    }

    /** Runs the benchmark that {@code args} name and ends the process. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new Main()).execute(args));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Name a benchmark.");
    }
}
