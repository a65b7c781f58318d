package io.mixt5.train.experiment;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.UserException;
import io.mixt5.model.io.StrictJson;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.Set;

/** The settings that a run was started with, kept beside it, so that results of other settings are not taken for its own. */
final class Settings {
    private static final String FILE = "settings.json";

    /** Numbers by value: 0 is 0.0, and it does not matter what type a number was read as. */
    private static final Comparator<JsonNode> BY_VALUE = (a, b) -> {
        boolean numbers = a.isNumber() && b.isNumber();
        return numbers ? Double.compare(a.doubleValue(), b.doubleValue()) : a.equals(b) ? 0 : 1;
    };

    private Settings() {
    }

    /** Whether both say the same, in whatever order. */
    static boolean same(JsonNode a, JsonNode b) {
        return a == b || a != null && b != null && a.equals(BY_VALUE, b);
    }

    /**
     * Writes {@code settings} into the run's {@code directory}, or checks that they are those written there before.
     *
     * @throws UserException if they are not
     */
    static void keep(Path directory, ObjectNode settings) {
        Path file = directory.resolve(FILE);
        if (!Files.exists(file)) {
            StrictJson.write(file, settings);
            return;
        }
        ObjectNode before = StrictJson.readObject(file);
        Set<String> keys = new LinkedHashSet<>();
        settings.fieldNames().forEachRemaining(keys::add);
        before.fieldNames().forEachRemaining(keys::add);
        for (String key : keys) {
            if (!same(before.get(key), settings.get(key))) {
                throw new UserException(directory + " holds a run whose '" + key + "' was " + shown(before.get(key))
                        + ", not " + shown(settings.get(key)) + "; remove that directory, or choose another save_dir");
            }
        }
    }

    private static String shown(JsonNode value) {
        return value == null ? "not given" : value.toString();
    }
}
