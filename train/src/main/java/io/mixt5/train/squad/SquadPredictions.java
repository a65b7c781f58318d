package io.mixt5.train.squad;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.mixt5.engine.UserException;
import io.mixt5.model.io.JsonErrors;
import io.mixt5.model.io.StrictJson;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Predictions in SQuAD's form: one JSON object of question ids and texts. */
public final class SquadPredictions {
    private SquadPredictions() {
    }

    /**
     * The texts in {@code file} by question id, in the order of the file.
     *
     * @throws UserException if it cannot be read, is of another form or has an id twice
     */
    public static Map<String, String> read(Path file) {
        Map<String, String> predictions = new LinkedHashMap<>();
        try (JsonParser json = StrictJson.parser(file)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new UserException(file + " must hold one JSON object of question ids and texts");
            }
            while (json.nextToken() != JsonToken.END_OBJECT) {
                String id = json.currentName();
                if (json.nextToken() != JsonToken.VALUE_STRING) {
                    throw new UserException("the prediction for '" + id + "' in " + file + " must be a text, found "
                            + JsonErrors.describe(json));
                }
                predictions.put(id, json.getText());
            }
            if (json.nextToken() != null) {
                throw new UserException(file + " goes on after the end of its JSON");
            }
        } catch (IOException e) {
            throw JsonErrors.reading(file, e);
        }
        return predictions;
    }

    /**
     * Writes {@code predictions}, by question id, to {@code file}, whole or not at all.
     *
     * @throws UserException if it cannot be written
     */
    public static void write(Path file, Map<String, String> predictions) {
        StrictJson.write(file, predictions);
    }
}
