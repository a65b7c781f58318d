package io.mixt5.model.io;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonStreamContext;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.exc.StreamReadException;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import io.mixt5.engine.UserException;
import io.mixt5.model.io.StrictUtf8Reader.InvalidUtf8Exception;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.zip.ZipException;

/** What Jackson has to say, in the user's words: one sentence with the file, the key and what was expected. */
public final class JsonErrors {
    private static final int SHOWN_CHARACTERS = 40;

    private JsonErrors() {
    }

    /** The sentence for {@code e}, thrown while the JSON in {@code file} was read. */
    public static UserException reading(Path file, IOException e) {
        return switch (e) {
            case StreamReadException cut when isCut(cut) -> new UserException(
                    file + " ends in the middle of its JSON, it was cut" + at(cut), e);
            case StreamReadException bad when repeatsKey(bad) -> new UserException(
                    file + " has the key '" + path(bad.getProcessor()) + "' twice", e);
            case StreamConstraintsException large -> new UserException(
                    file + " is larger or deeper than what is read here: " + large.getOriginalMessage(), e);
            case StreamReadException bad -> new UserException(
                    file + " is not valid JSON: " + bad.getOriginalMessage() + at(bad), e);
            case EOFException cut -> new UserException(file + " ends in the middle of its gzip data, it was cut", e);
            case ZipException bad -> new UserException(file + " is damaged: its gzip data cannot be unpacked", e);
            case InvalidUtf8Exception bad -> new UserException(file + " " + bad.getMessage(), e);
            default -> UserFiles.cannotRead(file, e);
        };
    }

    /**
     * The place of the value that {@code parser} is at, as in {@code data[3].paragraphs[2].qas[0].question}; empty at
     * the root.
     */
    public static String path(JsonParser parser) {
        JsonStreamContext context = parser.getParsingContext();
        JsonToken token = parser.currentToken();
        boolean opening = token == JsonToken.START_OBJECT || token == JsonToken.START_ARRAY;
        return path(opening ? context.getParent() : context);
    }

    /** The value that {@code parser} is at, for "... , found the number 3". */
    public static String describe(JsonParser parser) throws IOException {
        return switch (parser.currentToken()) {
            case START_OBJECT -> "an object";
            case START_ARRAY -> "a list";
            case VALUE_STRING -> text(parser.getText());
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "the number " + shorten(parser.getText());
            default -> parser.getText();
        };
    }

    static String describe(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> "an object";
            case ARRAY -> "a list";
            case STRING -> text(node.textValue());
            case NUMBER -> "the number " + shorten(node.asText());
            default -> node.asText();
        };
    }

    /**
     * The sentence for {@code e}, thrown while {@code tree} was bound to a type; {@code prefix} is what leads to the
     * tree in {@code file}.
     */
    static UserException binding(Path file, JsonNode tree, String prefix, JsonMappingException e) {
        String key = prefix + path(e.getPath());
        if (e instanceof UnrecognizedPropertyException unknown) {
            return new UserException(unknownKey(file, key, unknown), e);
        }
        JsonNode found = find(tree, e.getPath());
        if (found.isMissingNode() || found.isNull()) {
            return new UserException("key '" + key + "' is missing in " + file, e);
        }
        Class<?> type = targetType(e);
        String hint = type.isEnum() && found.isTextual()
                ? didYouMean(found.textValue().toLowerCase(Locale.ROOT), names(type))
                : "";
        return new UserException("key '" + key + "' in " + file + " must be " + expected(type, found) + ", found "
                + describe(found) + hint, e);
    }

    /** ", did you mean 'x'?" or nothing. */
    private static String didYouMean(String word, Collection<String> words) {
        return NearestWord.of(word, words).map(near -> ", did you mean '" + near + "'?").orElse("");
    }

    private static String unknownKey(Path file, String key, UnrecognizedPropertyException e) {
        List<String> known = e.getKnownPropertyIds().stream().map(String::valueOf).toList();
        String hint = didYouMean(e.getPropertyName(), known);
        return "unknown key '" + key + "' in " + file + (hint.isEmpty() ? ", remove it" : hint);
    }

    private static Class<?> targetType(JsonMappingException e) {
        return switch (e) {
            case MismatchedInputException mismatch when mismatch.getTargetType() != null -> mismatch.getTargetType();
            case JsonMappingException other when other.getCause() instanceof InputCoercionException range -> range
                    .getTargetType();
            default -> Object.class;
        };
    }

    private static String expected(Class<?> type, JsonNode found) {
        if (type.isEnum()) {
            return "one of " + String.join(", ", names(type));
        }
        if (type == int.class || type == Integer.class) {
            return found.isIntegralNumber()
                    ? "between " + Integer.MIN_VALUE + " and " + Integer.MAX_VALUE
                    : "a whole number";
        }
        if (type == long.class || type == Long.class) {
            return found.isIntegralNumber()
                    ? "between " + Long.MIN_VALUE + " and " + Long.MAX_VALUE
                    : "a whole number";
        }
        if (Number.class.isAssignableFrom(type) || type == double.class || type == float.class) {
            return "a number";
        }
        if (type == boolean.class || type == Boolean.class) {
            return "true or false";
        }
        if (type == String.class) {
            return "a text";
        }
        if (type == Path.class) {
            return "a path";
        }
        return Collection.class.isAssignableFrom(type) || type.isArray() ? "a list" : "an object";
    }

    private static List<String> names(Class<?> type) {
        return Arrays.stream(type.getEnumConstants())
                .map(constant -> ((Enum<?>) constant).name().toLowerCase(Locale.ROOT)).toList();
    }

    private static JsonNode find(JsonNode tree, List<JsonMappingException.Reference> path) {
        JsonNode node = tree;
        for (JsonMappingException.Reference step : path) {
            node = step.getFieldName() != null ? node.path(step.getFieldName()) : node.path(step.getIndex());
        }
        return node;
    }

    private static String path(List<JsonMappingException.Reference> path) {
        return path.stream()
                .map(step -> step.getFieldName() != null ? "." + step.getFieldName() : "[" + step.getIndex() + "]")
                .collect(Collectors.joining()).replaceFirst("^\\.", "");
    }

    private static String path(JsonStreamContext context) {
        if (context == null || context.inRoot()) {
            return "";
        }
        String parent = path(context.getParent());
        if (context.inArray()) {
            return parent + "[" + context.getCurrentIndex() + "]";
        }
        if (!context.hasCurrentName()) {
            return parent;
        }
        return parent.isEmpty() ? context.getCurrentName() : parent + "." + context.getCurrentName();
    }

    private static boolean isCut(StreamReadException e) {
        return e instanceof JsonEOFException || e.getOriginalMessage().startsWith("Unexpected end-of-input");
    }

    private static boolean repeatsKey(StreamReadException e) {
        return e.getOriginalMessage().startsWith("Duplicate");
    }

    private static String at(StreamReadException e) {
        JsonLocation place = e.getLocation();
        return place == null ? "" : " (line " + place.getLineNr() + ", column " + place.getColumnNr() + ")";
    }

    private static String text(String text) {
        return "the text \"" + shorten(text) + "\"";
    }

    private static String shorten(String text) {
        return text.length() <= SHOWN_CHARACTERS ? text : text.substring(0, SHOWN_CHARACTERS) + "...";
    }
}
