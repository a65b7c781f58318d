package io.mixt5.train.command;

import io.mixt5.engine.UserException;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.ParseResult;

/** Prints what the user can mend as one line with exit code 2; everything else is a bug and goes on to be reported. */
public final class UserErrorHandler implements IExecutionExceptionHandler {
    @Override
    public int handleExecutionException(Exception e, CommandLine command, ParseResult arguments) throws Exception {
        if (e instanceof UserException) {
            command.getErr().println("error: " + e.getMessage());
            return ExitCode.USAGE;
        }
        throw e;
    }
}
