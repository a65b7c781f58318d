package io.mixt5.train.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.UserException;
import io.mixt5.model.MixtureConfig;
import io.mixt5.model.T5Config;
import io.mixt5.model.io.StrictJson;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/** The shape that the key {@code model_config} of a {@link TrainConfig} asks for. */
final class ModelShape {
    private static final String KEY = "model_config";
    private static final String PRESET = "preset";
    private static final String DEFAULT_PRESET = "small";
    private static final Set<String> PRESETS = Set.of("tiny", "small", "base");

    private ModelShape() {
    }

    /**
     * A new T5 configuration.
     *
     * @param value of the key
     * @param file of the training configuration, from whose directory a path is taken
     * @throws UserException if {@code value} is nothing of the sort, or the shape cannot be
     */
    static T5Config of(JsonNode value, Path file) {
        if (value.isTextual()) {
            return ofText(value.textValue(), file);
        }
        if (value instanceof ObjectNode object) {
            return ofObject(object.deepCopy(), file);
        }
        throw new UserException(
                "key '" + KEY + "' in " + file + " must be a preset, a path or an object, found " + value);
    }

    /**
     * The mixtures that the key {@code moe_config} asks for.
     *
     * @throws UserException if {@code value} is no object of the keys of {@link MixtureConfig}, or they do not go together
     */
    static MixtureConfig mixture(JsonNode value, Path file) {
        if (!(value instanceof ObjectNode keys)) {
            throw new UserException("key 'moe_config' in " + file + " must be an object, found " + value);
        }
        MixtureConfig mixture = new MixtureConfig();
        StrictJson.update(mixture, keys, file, "moe_config");
        mixture.activateMoe = true;
        mixture.check("moe_config in " + file);
        return mixture;
    }

    private static T5Config ofText(String text, Path file) {
        if (PRESETS.contains(text)) {
            return T5Config.preset(text);
        }
        Path path = file.resolveSibling(text);
        if (!Files.exists(path)) {
            throw new UserException("key '" + KEY + "' in " + file + " must be tiny, small, base or the path of a "
                    + "config.json, found \"" + text + "\" and no file " + path);
        }
        return T5Config.read(path);
    }

    private static T5Config ofObject(ObjectNode keys, Path file) {
        JsonNode preset = keys.remove(PRESET);
        String name = preset == null ? DEFAULT_PRESET : preset.asText();
        if (!PRESETS.contains(name)) {
            throw new UserException("key '" + KEY + "." + PRESET + "' in " + file
                    + " must be tiny, small or base, found \"" + name + "\"");
        }
        T5Config config = T5Config.preset(name);
        StrictJson.update(config, keys, file, KEY);
        config.check(KEY + " in " + file);
        return config;
    }
}
