package io.mixt5.train;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line of MixT5. */
@Command(name = "mixt5", mixinStandardHelpOptions = true, version = "mixt5 0.1.0",
        description = "Trains and runs T5 and mixture-of-experts T5 models.")
public final class Main implements Runnable {
    @Spec
    private CommandSpec spec;

    private Main() {
    }

    /** Runs the command that {@code args} name and ends the process: 0 done, 1 a bug, 2 something the user can mend. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new Main()).execute(args));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Name a command.");
    }
}
