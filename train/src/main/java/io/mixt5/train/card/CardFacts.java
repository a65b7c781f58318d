package io.mixt5.train.card;

import io.mixt5.engine.UserException;
import io.mixt5.model.RoutingFigures;
import io.mixt5.model.io.StrictJson;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What a model's card says beyond what the model itself shows: where it comes from, what it was trained on and how it did.
 * It lies beside the card as {@value #FILE}, so that whoever writes the model in another form can write its card anew. No
 * times, no paths: equal runs leave equal bytes.
 *
 * @param name of the model
 * @param origin how it was made, a sentence
 * @param data what it was trained and validated on; null where that is not known
 * @param training the settings of its training, in their order; null where it was not trained here
 * @param scores how it did on the validation questions; null where nobody asked
 * @param routing what its mixtures did; null for a dense model or where nobody looked
 */
public record CardFacts(String name, String origin, Data data, Map<String, String> training, Scores scores,
        Routing routing) {
    /** The file's name in a model's directory. */
    public static final String FILE = "model_card.json";

    /**
     * The data sets.
     *
     * @param dataset what it is called, as the configuration says
     * @param training the training file's name
     * @param trainingQuestions how many were used
     * @param validation the validation file's name; null where there was none
     * @param validationQuestions how many were used
     */
    public record Data(String dataset, String training, int trainingQuestions, String validation,
            int validationQuestions) {
    }

    /**
     * Scores in validation.
     *
     * @param metric how answers are compared
     * @param exactMatch in per cent
     * @param f1 in per cent
     * @param step of the training
     */
    public record Scores(String metric, double exactMatch, double f1, int step) {
    }

    /**
     * What mixtures did.
     *
     * @param over which passes, for a sentence that begins with "Measured on"
     * @param layers one entry for each mixture
     */
    public record Routing(String over, List<RoutingFigures> layers) {
    }

    /** Checks that there are a name and an origin. */
    public CardFacts {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(origin, "origin");
    }

    /** Of a model of which no more is known. */
    public static CardFacts of(String name, String origin) {
        return new CardFacts(name, origin, null, null, null, null);
    }

    /**
     * What lies beside the model in {@code directory}, else {@code unknown}.
     *
     * @throws UserException when the file is there but cannot be read
     */
    public static CardFacts read(Path directory, CardFacts unknown) {
        Path file = directory.resolve(FILE);
        return Files.exists(file) ? StrictJson.read(file, CardFacts.class) : unknown;
    }

    /** The last part of a path, to call a model or a file by; {@code otherwise} where it has none. */
    public static String lastPart(Path path, String otherwise) {
        Path last = path == null ? null : path.toAbsolutePath().normalize().getFileName();
        return last == null ? otherwise : last.toString();
    }
}
