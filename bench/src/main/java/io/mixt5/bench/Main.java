package io.mixt5.bench;

import io.mixt5.bench.report.CompareCommand;
import io.mixt5.bench.report.ReportCommand;
import io.mixt5.train.command.UserErrorHandler;
import java.util.Arrays;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * The command line of the benchmarks. Whatever does not begin with one of its commands is JMH's, as in every jar of JMH
 * benchmarks: {@code mixt5-bench.jar Gemm -p size=base -rff gemm.json}; without arguments everything runs.
 */
@Command(name = "mixt5-bench.jar", mixinStandardHelpOptions = true, version = "mixt5 0.1.0",
        description = "Measures MixT5. Arguments that begin with none of the commands below go to JMH: regular expressions"
                + " of benchmarks and options (-h shows JMH's own, -l lists the benchmarks).",
        subcommands = {StepCommand.class, GenerateCommand.class, ReportCommand.class, CompareCommand.class})
public final class Main {
    private Main() {
    }

    /** Runs what {@code args} say and ends the process. */
    public static void main(String[] args) throws Exception {
        System.exit(run(args));
    }

    /** Runs what {@code args} say; returns the exit code. */
    static int run(String[] args) throws Exception {
        CommandLine commands = new CommandLine(new Main());
        if (args.length > 0 && (commands.getSubcommands().containsKey(args[0])
                || Arrays.asList("--help", "--version", "-V").contains(args[0]))) {
            return commands.setExecutionExceptionHandler(new UserErrorHandler()).execute(args);
        }
        org.openjdk.jmh.Main.main(args);
        return CommandLine.ExitCode.OK;
    }
}
