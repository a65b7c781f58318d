package io.mixt5.train.command;

import io.mixt5.engine.UserException;
import io.mixt5.model.io.StrictUtf8Reader;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.squad.SquadPrompt;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Reads lines of text and prints a line of token ids for each. */
@Command(name = "tokenize", mixinStandardHelpOptions = true,
        description = "Reads lines of text (UTF-8) and prints the token ids of each, without an end token.")
public final class TokenizeCommand implements Callable<Integer> {
    @Option(names = "--model", required = true, paramLabel = "PATH",
            description = "A spiece.model or a model's directory.")
    private Path model;

    @Option(names = "--squad", description = "Whether [squad], [question] and [context] are special tokens.")
    private boolean squad;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        try (T5Tokenizer loaded = T5Tokenizer.load(model);
                BufferedReader lines = new BufferedReader(new StrictUtf8Reader(System.in))) {
            T5Tokenizer tokenizer = squad ? loaded.withAddedTokens(SquadPrompt.MARKERS) : loaded;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                out.println(Arrays.stream(tokenizer.encode(line)).mapToObj(Integer::toString)
                        .collect(Collectors.joining(" ")));
            }
            out.flush();
        } catch (IOException e) {
            throw new UserException("the standard input cannot be read: " + e.getMessage() + "; give it lines of UTF-8",
                    e);
        }
        return ExitCode.OK;
    }
}
