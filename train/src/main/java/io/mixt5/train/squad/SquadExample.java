package io.mixt5.train.squad;

import java.util.List;

/**
 * One question of a SQuAD data set.
 *
 * @param id what a prediction is filed under; not empty
 * @param title of the article; empty where the file has none
 * @param question with text
 * @param context the paragraph that answers it; with text; one instance for all questions on it
 * @param answers what people marked; empty only where the reader was told that none are needed
 */
public record SquadExample(String id, String title, String question, String context, List<Answer> answers) {
    /**
     * A span of the context.
     *
     * @param text the span
     * @param start offset of its first character in the context, as the file has it; -1 where it has none
     */
    public record Answer(String text, int start) {
    }

    /** The texts of the answers, in their order. */
    public List<String> answerTexts() {
        return answers.stream().map(Answer::text).toList();
    }
}
