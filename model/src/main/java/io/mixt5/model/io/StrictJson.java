package io.mixt5.model.io;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.ser.std.StdScalarSerializer;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import com.fasterxml.jackson.databind.type.LogicalType;
import io.mixt5.engine.UserException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.zip.GZIPInputStream;

/**
 * JSON files as their authors meant them: duplicate and unknown keys, values of another type and bytes that are not
 * UTF-8 are errors, each one sentence that names the file and the key.
 *
 * <p>Bound types are classes with public fields or records. Their Java names are camel case, the keys snake case;
 * enums are written in lower case; {@code null} counts as not given. A text is never taken for a number, nor a number
 * with a fraction for a whole one. Safe for use by several threads.
 */
public final class StrictJson {
    private static final int BUFFER_BYTES = 1 << 16;
    private static final int GZIP_FIRST_BYTE = 0x1F;
    private static final int GZIP_SECOND_BYTE = 0x8B;

    /** Values, keys and brackets of a tree, each of which takes up to some 100 bytes. */
    private static final long MAX_TREE_TOKENS = 200_000;
    private static final long MAX_TREE_CHARACTERS = 1L << 24;

    /** For reading token by token, which takes no more memory for a large file. */
    private static final JsonFactory TOKENS = factory(Long.MAX_VALUE, Long.MAX_VALUE);

    private static final JsonMapper MAPPER = JsonMapper.builder(factory(MAX_TREE_TOKENS, MAX_TREE_CHARACTERS))
            .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .withCoercionConfig(LogicalType.Textual, config -> config
                    .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail)
                    .setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                    .setCoercion(CoercionInputShape.Float, CoercionAction.Fail))
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .defaultPropertyInclusion(JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, null))
            .defaultSetterInfo(JsonSetter.Value.forValueNulls(Nulls.SKIP))
            .addModule(new SimpleModule()
                    .addDeserializer(Path.class, new PathDeserializer())
                    .addSerializer(Path.class, ToStringSerializer.instance)
                    .addSerializer(Enum.class, new LowerCaseSerializer()))
            .build();

    /** What to do with a key that the type does not have. */
    public enum UnknownKeys {
        /** An error that suggests the nearest known key. */
        REFUSE,
        /** For files that others write, with keys that do not concern us. */
        IGNORE
    }

    private StrictJson() {
    }

    /**
     * Reads the object in {@code file}, unknown keys refused.
     *
     * @throws UserException if the file cannot be read, is not JSON or does not fit {@code type}
     */
    public static <T> T read(Path file, Class<T> type) {
        return bind(readObject(file), type, file, UnknownKeys.REFUSE);
    }

    /**
     * Reads the object in {@code file} as a tree.
     *
     * @throws UserException if the file cannot be read or is not one JSON object
     */
    public static ObjectNode readObject(Path file) {
        JsonNode tree;
        try (JsonParser parser = parser(file, MAPPER.getFactory())) {
            tree = MAPPER.readTree(parser);
            if (tree != null) {
                parser.nextToken();
            }
            if (parser.hasCurrentToken()) {
                throw new UserException(file + " goes on after the end of its JSON");
            }
        } catch (IOException e) {
            throw JsonErrors.reading(file, e);
        }
        return switch (tree) {
            case ObjectNode object -> object;
            case null -> throw new UserException(file + " is empty, but a JSON object is needed");
            default -> throw new UserException(file + " must hold a JSON object, found " + JsonErrors.describe(tree));
        };
    }

    /**
     * The value of {@code type} that {@code tree} describes. Keys that are not given keep the default of a field.
     *
     * @param file where the tree comes from, for the message
     * @throws UserException if the tree does not fit {@code type}
     */
    public static <T> T bind(ObjectNode tree, Class<T> type, Path file, UnknownKeys unknown) {
        ObjectReader reader = MAPPER.readerFor(type);
        if (unknown == UnknownKeys.IGNORE) {
            reader = reader.without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
        }
        return bind(reader, tree, file, "");
    }

    /**
     * Sets the fields of {@code target} that {@code tree} gives; the others stay. Unknown keys are refused.
     *
     * @param file where the tree comes from, for the message
     * @param key of the tree in that file, for the message
     * @throws UserException if the tree does not fit; {@code target} is then not to be used
     */
    public static void update(Object target, ObjectNode tree, Path file, String key) {
        bind(MAPPER.readerForUpdating(target), tree, file, key + ".");
    }

    private static <T> T bind(ObjectReader reader, ObjectNode tree, Path file, String prefix) {
        try {
            return reader.readValue(tree);
        } catch (JsonMappingException e) {
            throw JsonErrors.binding(file, tree, prefix, e);
        } catch (IOException e) {
            throw JsonErrors.reading(file, e);
        }
    }

    /**
     * Opens {@code file}, JSON in UTF-8 as it is or packed by gzip, for reading token by token. Errors of the parser
     * become sentences by {@link JsonErrors#reading}.
     *
     * @throws UserException if the file cannot be opened
     */
    public static JsonParser parser(Path file) {
        return parser(file, TOKENS);
    }

    /** As {@link #parser(Path)}; a file of more than {@code maxTokens} values, keys and brackets is an error there. */
    static JsonParser parser(Path file, long maxTokens) {
        return parser(file, factory(maxTokens, Long.MAX_VALUE));
    }

    private static JsonFactory factory(long maxTokens, long maxCharacters) {
        return JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .streamReadConstraints(StreamReadConstraints.builder().maxTokenCount(maxTokens)
                        .maxDocumentLength(maxCharacters).build())
                .build();
    }

    private static JsonParser parser(Path file, JsonFactory factory) {
        UserFiles.requireFile(file);
        InputStream raw = null;
        try {
            raw = new BufferedInputStream(Files.newInputStream(file), BUFFER_BYTES);
            return factory.createParser(new StrictUtf8Reader(unpack(file, raw)));
        } catch (IOException e) {
            close(raw);
            throw JsonErrors.reading(file, e);
        }
    }

    /**
     * Writes {@code value} to {@code file}, indented, whole or not at all.
     *
     * @throws UserException if the file cannot be written
     */
    public static void write(Path file, Object value) {
        byte[] text = (toText(value) + "\n").getBytes(StandardCharsets.UTF_8);
        AtomicFile.write(file, channel -> {
            ByteBuffer buffer = ByteBuffer.wrap(text);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        });
    }

    /** {@code value} as a tree; what is null is left out. */
    public static ObjectNode toTree(Object value) {
        return MAPPER.valueToTree(value);
    }

    /** {@code value} as indented JSON; what is null is left out. */
    public static String toText(Object value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot be written as JSON: " + value.getClass(), e);
        }
    }

    private static InputStream unpack(Path file, InputStream in) throws IOException {
        in.mark(2);
        boolean gzip = in.read() == GZIP_FIRST_BYTE && in.read() == GZIP_SECOND_BYTE;
        in.reset();
        return gzip ? new UnpackedText(new GZIPInputStream(in, BUFFER_BYTES), file) : in;
    }

    private static void close(InputStream in) {
        try {
            if (in != null) {
                in.close();
            }
        } catch (IOException e) {
            // The failure to open is the one to report.
        }
    }

    @SuppressWarnings("rawtypes")
    private static final class LowerCaseSerializer extends StdScalarSerializer<Enum> {
        private static final long serialVersionUID = 1L;

        LowerCaseSerializer() {
            super(Enum.class);
        }

        @Override
        public void serialize(Enum value, JsonGenerator json, SerializerProvider provider) throws IOException {
            json.writeString(value.name().toLowerCase(Locale.ROOT));
        }
    }

    /** Jackson's own takes a text with a colon for a URI. */
    private static final class PathDeserializer extends StdScalarDeserializer<Path> {
        private static final long serialVersionUID = 1L;

        PathDeserializer() {
            super(Path.class);
        }

        @Override
        public Path deserialize(JsonParser parser, DeserializationContext context) throws IOException {
            if (!parser.hasToken(JsonToken.VALUE_STRING)) {
                return (Path) context.handleUnexpectedToken(Path.class, parser);
            }
            try {
                return Path.of(parser.getText());
            } catch (InvalidPathException e) {
                return (Path) context.handleWeirdStringValue(Path.class, parser.getText(), "%s", e.getReason());
            }
        }
    }
}
