package io.mixt5.model.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.mixt5.engine.UserException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The JSON header of a safetensors file: per tensor its type, shape and range of bytes, beside a map of texts.
 *
 * <p>Nothing in it is believed: the ranges must fit shape and type and cover the data without overlap, hole or rest,
 * as the format demands (github.com/huggingface/safetensors, README, "Format").
 */
final class SafetensorsHeader {
    static final String METADATA = "__metadata__";
    /** Tensors and texts that any file may have, and bytes of data for each beyond. */
    private static final long FREE_ENTRIES = 10_000;
    private static final long BYTES_PER_ENTRY = 128;
    /** PyTorch's own limit. */
    private static final int MAX_DIMENSIONS = 64;

    /** One tensor's entry; the range is [start, end), counted from the end of the header. */
    record Entry(SafetensorsType type, long[] shape, long start, long end) {
    }

    private final Path file;
    private final JsonParser json;
    private final long maxEntries;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private boolean hasMetadata;

    private SafetensorsHeader(Path file, JsonParser json, long maxEntries) {
        this.file = file;
        this.json = json;
        this.maxEntries = maxEntries;
    }

    /**
     * Reads and checks a header.
     *
     * @param dataBytes size of the file after the header
     * @throws UserException if anything in it is wrong
     */
    static SafetensorsHeader parse(Path file, byte[] text, long dataBytes) {
        if (text.length == 0 || text[0] != '{') {
            throw new UserException(file + " is no safetensors file: its header does not start with '{'");
        }
        try (JsonParser json = new JsonFactory()
                .createParser(new StrictUtf8Reader(new ByteArrayInputStream(text)))) {
            SafetensorsHeader header = new SafetensorsHeader(file, json,
                    FREE_ENTRIES + dataBytes / BYTES_PER_ENTRY);
            header.readAll();
            header.checkCover(dataBytes);
            return header;
        } catch (IOException e) {
            throw new UserException("the header of " + JsonErrors.reading(file, e).getMessage(), e);
        }
    }

    /** By name, in the order of the header. */
    Map<String, Entry> entries() {
        return entries;
    }

    Map<String, String> metadata() {
        return metadata;
    }

    private void readAll() throws IOException {
        json.nextToken();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            json.nextToken();
            if (name.equals(METADATA)) {
                readMetadata();
            } else if (entries.put(name, readEntry(name)) != null) {
                throw new UserException("tensor '" + name + "' is twice in " + file);
            }
            requireFew();
        }
        if (json.nextToken() != null) {
            throw new UserException("the header of " + file + " goes on after the end of its JSON");
        }
    }

    private void readMetadata() throws IOException {
        if (hasMetadata) {
            throw new UserException(METADATA + " is twice in " + file);
        }
        hasMetadata = true;
        require(json.hasToken(JsonToken.START_OBJECT), METADATA, "must be an object");
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String key = json.currentName();
            require(json.nextToken() == JsonToken.VALUE_STRING, METADATA, "must hold texts, not so '" + key + "'");
            require(metadata.put(key, json.getText()) == null, METADATA, "has the key '" + key + "' twice");
            requireFew();
        }
    }

    /** So that a file of nothing but a header cannot take much more memory than it has bytes. */
    private void requireFew() {
        if (entries.size() + metadata.size() > maxEntries) {
            throw new UserException("the header of " + file + " has more than " + maxEntries
                    + " tensors and texts, which is more than a file with so little data needs");
        }
    }

    private Entry readEntry(String name) throws IOException {
        String where = "tensor '" + name + "'";
        require(json.hasToken(JsonToken.START_OBJECT), where, "must be described by an object");
        SafetensorsType type = null;
        long[] shape = null;
        long[] offsets = null;
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String key = json.currentName();
            json.nextToken();
            switch (key) {
                case "dtype" -> {
                    require(type == null, where, "has two dtypes");
                    type = readType(where);
                }
                case "shape" -> {
                    require(shape == null, where, "has two shapes");
                    shape = readSizes(where, key);
                }
                case "data_offsets" -> {
                    require(offsets == null, where, "has two data_offsets");
                    offsets = readSizes(where, key);
                }
                default -> require(false, where, "has an unknown key '" + key + "'");
            }
        }
        require(type != null, where, "has no dtype");
        require(shape != null, where, "has no shape");
        require(offsets != null, where, "has no data_offsets");
        require(offsets.length == 2 && offsets[0] <= offsets[1], where,
                "has data_offsets " + Arrays.toString(offsets) + ", not a start and an end");
        long bytes = sizeOf(where, type, shape);
        require(bytes == offsets[1] - offsets[0], where, "takes " + bytes + " bytes as " + type + " of shape "
                + Arrays.toString(shape) + ", but its data_offsets give it " + (offsets[1] - offsets[0]));
        return new Entry(type, shape, offsets[0], offsets[1]);
    }

    private SafetensorsType readType(String where) throws IOException {
        require(json.hasToken(JsonToken.VALUE_STRING), where, "has a dtype that is not a text");
        String text = json.getText();
        for (SafetensorsType type : SafetensorsType.values()) {
            if (type.name().equals(text)) {
                return type;
            }
        }
        throw wrong(where, "has the dtype '" + text + "', which is none of "
                + Arrays.toString(SafetensorsType.values()));
    }

    private long[] readSizes(String where, String key) throws IOException {
        require(json.hasToken(JsonToken.START_ARRAY), where, "has a " + key + " that is not a list");
        List<Long> sizes = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
            require(json.hasToken(JsonToken.VALUE_NUMBER_INT)
                    && json.getNumberType() != JsonParser.NumberType.BIG_INTEGER && json.getLongValue() >= 0, where,
                    "has " + JsonErrors.describe(json) + " in its " + key
                            + ", where a whole number from 0 to 2^63 - 1 must be");
            sizes.add(json.getLongValue());
            require(sizes.size() <= MAX_DIMENSIONS, where,
                    "has more than " + MAX_DIMENSIONS + " numbers in its " + key);
        }
        return sizes.stream().mapToLong(Long::longValue).toArray();
    }

    private long sizeOf(String where, SafetensorsType type, long[] shape) {
        try {
            return type.bytes(shape);
        } catch (ArithmeticException e) {
            throw wrong(where, "has the shape " + Arrays.toString(shape) + ", more than 2^63 bytes");
        }
    }

    /** In the order of the data, each tensor must start where the one before ends, and the last end the file. */
    private void checkCover(long dataBytes) {
        List<Map.Entry<String, Entry>> sorted = new ArrayList<>(entries.entrySet());
        sorted.sort(Comparator.comparingLong((Map.Entry<String, Entry> e) -> e.getValue().start())
                .thenComparingLong(e -> e.getValue().end()));
        long end = 0;
        for (Map.Entry<String, Entry> next : sorted) {
            String where = "tensor '" + next.getKey() + "'";
            Entry entry = next.getValue();
            require(entry.start() >= end, where, "overlaps the tensor before it at byte " + entry.start());
            require(entry.start() == end, where,
                    "leaves a hole before it, from byte " + end + " to " + entry.start());
            require(entry.end() <= dataBytes, where, "ends at byte " + entry.end() + " of the data, of which there are "
                    + dataBytes + ", so that the file was cut or its header lies");
            end = entry.end();
        }
        if (end != dataBytes) {
            throw new UserException(file + " has " + dataBytes + " bytes of data, but its tensors end at byte " + end);
        }
    }

    private void require(boolean holds, String where, String what) {
        if (!holds) {
            throw wrong(where, what);
        }
    }

    private UserException wrong(String where, String what) {
        return new UserException(where + " in " + file + " " + what);
    }
}
