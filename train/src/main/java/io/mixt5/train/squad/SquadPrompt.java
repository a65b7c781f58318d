package io.mixt5.train.squad;

import java.util.List;

/**
 * MixT5's wording of a question: {@code [squad][question]} question {@code [context]} context, to be answered by the
 * first answer. The tokenizer gives each marker one id, adds no end token to the input and one to the target.
 */
public final class SquadPrompt {
    private static final String TASK = "[squad]";
    private static final String QUESTION = "[question]";
    private static final String CONTEXT = "[context]";

    /** The added special tokens, in the order of their ids. */
    public static final List<String> MARKERS = List.of(TASK, QUESTION, CONTEXT);

    private SquadPrompt() {
    }

    /** What the encoder reads. */
    public static String input(String question, String context) {
        return TASK + QUESTION + question + CONTEXT + context;
    }

    /** What the encoder reads. */
    public static String input(SquadExample example) {
        return input(example.question(), example.context());
    }

    /** What the decoder learns to write; the example must have an answer. */
    public static String target(SquadExample example) {
        return example.answers().getFirst().text();
    }
}
