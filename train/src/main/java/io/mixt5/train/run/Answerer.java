package io.mixt5.train.run;

import io.mixt5.model.GenerationConfig;
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
 * Answers questions with a model.
 *
 * @param maxSourceLength tokens that a prompt is cut at
 * @param generation how answers are written; of several for a question the first is taken
 * @param batchSize questions at a time, of like lengths
 */
public record Answerer(T5Model model, T5Tokenizer tokenizer, int maxSourceLength, GenerationConfig generation,
        int batchSize) {
    /**
     * The answer to each question by its id, in the order of the questions.
     *
     * @param progress told how many more questions are answered, as soon as they are
     */
    public Map<String, String> answer(List<SquadExample> questions, IntConsumer progress) {
        List<int[]> sources = questions.stream().map(q -> SquadPairs.source(q, tokenizer, maxSourceLength)).toList();
        int[] lengths = sources.stream().mapToInt(s -> s.length).toArray();
        String[] answers = new String[questions.size()];
        Generator generator = new Generator(model, generation);
        for (int[] batch : BatchPlan.byLength(lengths, batchSize)) {
            generator.generate(Arrays.stream(batch).mapToObj(sources::get).toList(), (i, outputs) -> {
                answers[batch[i]] = tokenizer.decode(outputs.getFirst().ids(), true).strip();
                progress.accept(1);
            });
        }
        Map<String, String> byId = new LinkedHashMap<>();
        for (int i = 0; i < answers.length; i++) {
            byId.put(questions.get(i).id(), answers[i]);
        }
        return byId;
    }
}
