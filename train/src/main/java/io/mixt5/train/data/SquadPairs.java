package io.mixt5.train.data;

import io.mixt5.engine.UserException;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.squad.SquadExample;
import io.mixt5.train.squad.SquadPrompt;
import io.mixt5.train.squad.SquadReader;
import io.mixt5.train.squad.SquadReader.Answers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Turns SQuAD's questions into token ids. */
public final class SquadPairs {
    private SquadPairs() {
    }

    /** The prompt of a question, cut at {@code maxLength} tokens, without an end token. */
    public static int[] source(SquadExample example, T5Tokenizer tokenizer, int maxLength) {
        return cut(tokenizer.encode(SquadPrompt.input(example)), maxLength);
    }

    /** A question that has an answer, with the first of them, cut as {@link #read} cuts them. */
    public static TextPair pair(SquadExample example, T5Tokenizer tokenizer, int maxLength, int maxTarget) {
        return new TextPair(example.id(), source(example, tokenizer, maxLength),
                cut(tokenizer.encodeWithEnd(SquadPrompt.target(example)), maxTarget));
    }

    private static int[] cut(int[] ids, int length) {
        return ids.length <= length ? ids : Arrays.copyOf(ids, length);
    }

    /**
     * The first {@code most} questions of a file for training, sources cut at {@code maxLength} tokens and targets at
     * {@code maxTarget}.
     *
     * @throws UserException when the file cannot be used
     */
    public static List<TextPair> read(Path file, T5Tokenizer tokenizer, int maxLength, int maxTarget, int most) {
        List<TextPair> pairs = new ArrayList<>();
        try (SquadReader reader = SquadReader.open(file, Answers.REQUIRED)) {
            while (pairs.size() < most && reader.hasNext()) {
                pairs.add(pair(reader.next(), tokenizer, maxLength, maxTarget));
            }
        }
        return pairs;
    }

    /** The first {@code most} questions of a file with their answers, for evaluation. */
    public static List<SquadExample> examples(Path file, Answers answers, int most) {
        List<SquadExample> examples = new ArrayList<>();
        try (SquadReader reader = SquadReader.open(file, answers)) {
            while (examples.size() < most && reader.hasNext()) {
                examples.add(reader.next());
            }
        }
        return examples;
    }
}
