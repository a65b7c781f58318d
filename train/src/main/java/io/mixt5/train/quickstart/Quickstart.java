package io.mixt5.train.quickstart;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.mixt5.engine.UserException;
import io.mixt5.model.tokenizer.SentencePieceModel;
import io.mixt5.model.tokenizer.UnigramTrainer;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The quickstart's data: short lives of made-up people with questions, in SQuAD v1.1's format, and a SentencePiece
 * vocabulary learned from them.
 *
 * <p>Every answer is a stretch of its context. A context has several facts whose answers are of one type (two towns,
 * two years), so that a model must read the question's wording and the context's; but there is one person in each.
 * No person of the validation set occurs in the training set. The same seed gives the same bytes everywhere.
 *
 * @param trainContexts how many contexts the training set has
 * @param validationContexts how many the validation set has
 * @param facts how many facts, and so questions, a context of the validation set has; one of the training set has from
 *        2 to that many
 * @param vocabularySize how many pieces the vocabulary has at most
 */
public record Quickstart(int trainContexts, int validationContexts, int facts, int vocabularySize) {
    /** The training set's file. */
    public static final String TRAIN = "train.json";

    /** The validation set's file. */
    public static final String VALIDATION = "validation.json";

    /** The vocabulary's file. */
    public static final String VOCABULARY = "spiece.model";

    /** In the vocabulary whether the generated text has them or not, for questions of one's own. */
    private static final String PRINTABLE = IntStream.rangeClosed('!', '~').mapToObj(Character::toString)
            .collect(Collectors.joining(" "));

    /** What the quickstart trains on. */
    public static final Quickstart DEFAULT = new Quickstart(8000, 60, 7, 600);

    /**
     * Checks the sizes.
     *
     * @throws IllegalArgumentException where a set is empty, the validation set would take most names, or a context
     *     cannot have so many facts
     */
    public Quickstart {
        boolean sensible = trainContexts > 0 && validationContexts > 0 && validationContexts <= Biography.NAMES / 2;
        if (!sensible || facts < 2 || facts > Topic.ALL.size()) {
            throw new IllegalArgumentException("no data set of " + trainContexts + " and " + validationContexts
                    + " contexts with " + facts + " facts");
        }
    }

    /**
     * Writes {@link #TRAIN}, {@link #VALIDATION} and {@link #VOCABULARY} into {@code directory}, which is made if need
     * be.
     *
     * @throws UserException where it cannot be written
     */
    public void write(Path directory, long seed) {
        Random random = new Random(seed); // its sequence is specified, so it is the same everywhere
        Set<String> names = new HashSet<>();
        List<Biography> validation = new ArrayList<>();
        while (validation.size() < validationContexts) {
            Biography biography = Biography.draw(random, facts);
            if (names.add(biography.name())) {
                validation.add(biography);
            }
        }
        List<Biography> train = new ArrayList<>();
        while (train.size() < trainContexts) {
            // Short lives among the long ones: telling two towns apart is learned on them first.
            Biography biography = Biography.draw(random, 2 + random.nextInt(facts - 1));
            if (!names.contains(biography.name())) {
                train.add(biography);
            }
        }
        List<String> text = new ArrayList<>();
        text.add(PRINTABLE);
        for (Biography biography : train) {
            text.add(biography.context());
            biography.questions().forEach(question -> text.add(question.text()));
        }
        SentencePieceModel vocabulary = UnigramTrainer.train(text, vocabularySize);
        try {
            Files.createDirectories(directory);
            write(directory.resolve(TRAIN), train);
            write(directory.resolve(VALIDATION), validation);
            Files.write(directory.resolve(VOCABULARY), vocabulary.toBytes());
        } catch (IOException e) {
            throw new UserException("The quickstart's data cannot be written to " + directory + " (" + e
                    + "); name a directory that can be written", e);
        }
    }

    private static void write(Path file, List<Biography> biographies) throws IOException {
        try (OutputStream out = Files.newOutputStream(file);
                JsonGenerator json = new JsonMapper().createGenerator(out)) {
            json.writeStartObject();
            json.writeStringField("version", "1.1");
            json.writeArrayFieldStart("data");
            for (int i = 0; i < biographies.size(); i++) {
                write(json, biographies.get(i), file.getFileName().toString().replace(".json", "-") + i);
            }
            json.writeEndArray();
            json.writeEndObject();
        }
    }

    /** One article of one paragraph. */
    private static void write(JsonGenerator json, Biography biography, String id) throws IOException {
        json.writeStartObject();
        json.writeStringField("title", biography.name());
        json.writeArrayFieldStart("paragraphs");
        json.writeStartObject();
        json.writeStringField("context", biography.context());
        json.writeArrayFieldStart("qas");
        for (int i = 0; i < biography.questions().size(); i++) {
            Biography.Question question = biography.questions().get(i);
            json.writeStartObject();
            json.writeStringField("id", id + "-" + i);
            json.writeStringField("question", question.text());
            json.writeArrayFieldStart("answers");
            json.writeStartObject();
            json.writeStringField("text", question.answer());
            json.writeNumberField("answer_start", question.start());
            json.writeEndObject();
            json.writeEndArray();
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
        json.writeEndArray();
        json.writeEndObject();
    }
}
