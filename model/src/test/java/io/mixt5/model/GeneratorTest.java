package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Device;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.UserException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What generation promises beyond transformers' ids: draws, listeners, scores, errors. */
class GeneratorTest {
    @TempDir
    Path directory;
    private final Device device = Device.of("reference");
    private GenerationGoldens goldens;
    private List<int[]> prompts;
    private T5Model model;

    @BeforeEach
    void load() {
        goldens = new GenerationGoldens("tiny-t5-v1_1", directory);
        prompts = goldens.prompts().subList(0, 6);
        model = goldens.model(device);
    }

    private static GenerationConfig config(Consumer<GenerationConfig> settings) {
        GenerationConfig config = GenerationConfig.greedy(8);
        settings.accept(config);
        return config;
    }

    private static GenerationConfig drawing(long seed, int outputs) {
        return config(c -> {
            c.doSample = true;
            c.seed = seed;
            c.numReturnSequences = outputs;
        });
    }

    private List<String> texts(GenerationConfig config, List<int[]> sources) {
        return new Generator(model, config).outputs(sources).stream()
                .map(outputs -> outputs.stream().map(output -> Arrays.toString(output.ids())).toList().toString())
                .toList();
    }

    @Test
    void drawsDependOnTheSeedAndTheSourceAlone() {
        List<String> drawn = texts(drawing(3, 2), prompts);
        assertEquals(drawn, texts(drawing(3, 2), prompts));
        assertFalse(drawn.equals(texts(drawing(4, 2), prompts)));
        assertEquals(drawn.subList(2, 5), texts(drawing(3, 2), prompts.subList(2, 5)));
        assertEquals(drawn.reversed(), texts(drawing(3, 2), prompts.reversed()));
        for (int i = 0; i < prompts.size(); i++) {
            assertEquals(drawn.get(i), texts(drawing(3, 2), prompts.subList(i, i + 1)).getFirst());
        }
    }

    @Test
    void outputsOfOneSourceAreDrawnApartAndTheFirstOnesStay() {
        List<Generated> many = new Generator(model, drawing(5, 6)).outputs(prompts.subList(0, 1)).getFirst();
        Set<String> different = new HashSet<>();
        many.forEach(output -> different.add(Arrays.toString(output.ids())));
        assertTrue(different.size() > 3, different.toString());
        List<Generated> few = new Generator(model, drawing(5, 2)).outputs(prompts.subList(0, 1)).getFirst();
        for (int i = 0; i < few.size(); i++) {
            assertArrayEquals(many.get(i).ids(), few.get(i).ids());
        }
    }

    /** Over many draws of a first token, the shares are the model's probabilities. */
    @Test
    void drawsFollowTheProbabilities() {
        int draws = 3000;
        GenerationConfig config = drawing(11, draws);
        config.maxLength = 2;
        config.topK = 5;
        List<Generated> outputs = new Generator(model, config).outputs(prompts.subList(1, 2)).getFirst();
        double[] logits = firstLogits(prompts.get(1));
        double[] top = Arrays.stream(logits).map(x -> -x).sorted().map(x -> -x).limit(5).toArray();
        double sum = Arrays.stream(top).map(Math::exp).sum();
        for (int token = 0; token < logits.length; token++) {
            int wanted = token;
            double share = outputs.stream().filter(output -> output.ids()[0] == wanted).count() / (double) draws;
            double probability = logits[token] >= top[4] ? Math.exp(logits[token]) / sum : 0;
            assertEquals(probability, share, 4 * Math.sqrt(probability * (1 - probability) / draws) + 1e-9);
        }
    }

    private double[] firstLogits(int[] prompt) {
        try (Scope scope = new Scope(device)) {
            Tape tape = Tape.inference(scope);
            Ragged source = Ragged.of(List.of(prompt));
            Ragged start = Ragged.of(List.of(new int[]{model.config().decoderStartTokenId}));
            return model.logits(tape, model.decode(tape, start, model.encode(tape, source), source)).toDoubles();
        }
    }

    @Test
    void oneTokenToDrawFromIsGreedy() {
        List<String> greedy = texts(GenerationConfig.greedy(8), prompts);
        assertEquals(greedy, texts(config(c -> {
            c.doSample = true;
            c.topK = 1;
        }), prompts));
        assertEquals(greedy, texts(config(c -> {
            c.doSample = true;
            c.topK = 0;
            c.topP = 0;
        }), prompts));
    }

    @Test
    void tellsOfASourceWhenItIsDone() {
        List<Integer> order = new ArrayList<>();
        List<Integer> lengths = new ArrayList<>();
        new Generator(model, 20).generate(goldens.prompts().subList(0, 20), (source, outputs) -> {
            order.add(source);
            lengths.add(outputs.getFirst().ids().length);
        });
        assertEquals(20, new HashSet<>(order).size());
        assertEquals(lengths.stream().sorted().toList(), lengths, "shorter outputs are told of first");
        assertTrue(new HashSet<>(lengths).size() > 3, lengths.toString());
    }

    /** Of an output without length penalty, the sum of the log-probabilities that a whole pass gives. */
    @Test
    void scoresAreSumsOfLogProbabilities() {
        Generated output = new Generator(model, config(c -> {
            c.numBeams = 3;
            c.lengthPenalty = 0;
        })).outputs(prompts.subList(0, 1)).getFirst().getFirst();
        Generated greedy = new Generator(model, 8).outputs(prompts.subList(0, 1)).getFirst().getFirst();
        assertEquals(sum(prompts.getFirst(), output.ids()), output.score(), 1e-4);
        assertEquals(sum(prompts.getFirst(), greedy.ids()), greedy.score(), 1e-4);
    }

    private double sum(int[] prompt, int[] ids) {
        try (Scope scope = new Scope(device)) {
            T5Batch batch = T5Batch.of(List.of(prompt), List.of(ids), model.config());
            return -ids.length * (double) model.forward(Tape.inference(scope), batch).loss().toFloats()[0];
        }
    }

    @Test
    void noSourcesGiveNoOutputs() {
        assertEquals(List.of(), new Generator(model, 5).generate(List.of()));
    }

    @Test
    void whatCannotBeIsRefused() {
        refused("max_length", c -> c.maxLength = 1);
        refused("max_new_tokens", c -> c.maxNewTokens = 0);
        refused("min_length", c -> c.minLength = 9);
        refused("num_beams", c -> c.numBeams = 0);
        refused("num_return_sequences", c -> c.numReturnSequences = 2);
        refused("num_beams", c -> {
            c.doSample = true;
            c.numBeams = 2;
        });
        refused("temperature", c -> c.temperature = Double.NaN);
        refused("top_p", c -> c.topP = 1.5);
        refused("top_k", c -> c.topK = -1);
    }

    private void refused(String key, Consumer<GenerationConfig> settings) {
        GenerationConfig config = config(settings);
        String message = assertThrows(UserException.class, () -> new Generator(model, config)).getMessage();
        assertTrue(message.contains(": " + key + " must be"), message);
    }

    @Test
    void aModelThatGivesNoNumbersIsAnErrorOfOneSentence() {
        model.parameters().get("lm_head.weight").value().set(5, Double.NaN);
        String message = assertThrows(UserException.class, () -> new Generator(model, 5).generate(prompts))
                .getMessage();
        assertTrue(message.contains("not numbers"), message);
        model.parameters().get("lm_head.weight").value().set(5, 0);
        String banned = assertThrows(UserException.class, () -> new Generator(model, config(c -> {
            c.maxLength = 100;
            c.minLength = 100;
            c.noRepeatNgramSize = 1;
        })).generate(prompts)).getMessage();
        assertTrue(banned.contains("no_repeat_ngram_size"), banned);
    }

    @AfterEach
    void leavesNoTensor() {
        model.close();
        assertEquals(0, device.liveTensors());
    }
}
