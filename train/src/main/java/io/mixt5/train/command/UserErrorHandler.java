package io.mixt5.train.command;

import io.mixt5.engine.UserException;
import io.mixt5.kernels.cuda.CudaBackend;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.ParseResult;

/**
 * Prints what the user can mend as one line with exit code 2, and a device that failed as one line with exit code 1;
 * everything else is a bug and goes on to be reported.
 */
public final class UserErrorHandler implements IExecutionExceptionHandler {
    @Override
    public int handleExecutionException(Exception e, CommandLine command, ParseResult arguments) throws Exception {
        if (e instanceof UserException) {
            command.getErr().println("error: " + e.getMessage());
            return ExitCode.USAGE;
        }
        if (CudaBackend.isDeviceFailure(e)) {
            command.getErr().println("error: " + e.getMessage());
            return ExitCode.SOFTWARE;
        }
        throw e;
    }
}
