package io.mixt5.train.run;

import io.mixt5.model.Generator;
import io.mixt5.model.T5Model;
import io.mixt5.model.tokenizer.T5Tokenizer;
import io.mixt5.train.data.BatchPlan;
import io.mixt5.train.data.SquadPairs;
import io.mixt5.train.squad.SquadExample;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/**
 * Answers questions with a model, greedily.
 *
 * @param maxSourceLength tokens that a prompt is cut at
 * @param maxLength most tokens of an answer, the start token counted
 */
public record Answerer(T5Model model, T5Tokenizer tokenizer, int maxSourceLength, int maxLength, int batchSize) {
    /**
     * The answer to each question by its id, in the order of the questions.
     *
     * @param progress told how many more questions are answered, after each batch
     */
    public Map<String, String> answer(List<SquadExample> questions, IntConsumer progress) {
        List<int[]> sources = questions.stream().map(q -> SquadPairs.source(q, tokenizer, maxSourceLength)).toList();
        int[] lengths = sources.stream().mapToInt(s -> s.length).toArray();
        String[] answers = new String[questions.size()];
        Generator generator = new Generator(model, maxLength);
        for (int[] batch : BatchPlan.byLength(lengths, batchSize)) {
            List<int[]> outputs = generator.generate(Arrays.stream(batch).mapToObj(sources::get).toList());
            for (int i = 0; i < batch.length; i++) {
                answers[batch[i]] = tokenizer.decode(outputs.get(i), true).strip();
            }
            progress.accept(batch.length);
        }
        Map<String, String> byId = new LinkedHashMap<>();
        for (int i = 0; i < answers.length; i++) {
            byId.put(questions.get(i).id(), answers[i]);
        }
        return byId;
    }
}
