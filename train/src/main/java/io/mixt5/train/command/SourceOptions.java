package io.mixt5.train.command;

import picocli.CommandLine.Option;

/** What a model reads of a question. */
final class SourceOptions {
    @Option(names = "--max-sequence-length", defaultValue = "512", paramLabel = "N",
            description = "Tokens that a question with its context is cut at; default ${DEFAULT-VALUE}.")
    private int maxSequenceLength;

    /** Tokens, at least 1. */
    int maxSequenceLength() {
        Checks.atLeast("--max-sequence-length", maxSequenceLength, 1);
        return maxSequenceLength;
    }
}
