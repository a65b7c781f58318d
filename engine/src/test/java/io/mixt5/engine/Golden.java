package io.mixt5.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * One case of the numbers that PyTorch and transformers computed, which make_goldens.py describes: tensors by role,
 * from ops.safetensors, and attributes, from ops.json.
 */
final class Golden {
    private static final ByteBuffer FILE = file();
    private static final JsonNode HEADER = header();
    private static final JsonNode INDEX = index();

    private final String name;
    private final JsonNode attributes;

    private Golden(String name, JsonNode attributes) {
        this.name = name;
        this.attributes = attributes;
    }

    /** Every case of the file. */
    static List<Golden> all() {
        return INDEX.propertyStream().map(entry -> new Golden(entry.getKey(), entry.getValue())).toList();
    }

    /** The name, unique in the file. */
    String name() {
        return name;
    }

    /** The op that the case is of. */
    String op() {
        return attribute("op").asText();
    }

    /** An attribute, which must be there. */
    JsonNode attribute(String key) {
        return attributes.required(key);
    }

    /** Whether there is a tensor with this role. */
    boolean has(String role) {
        return attributes.get("tensors").has(role);
    }

    /** The sizes of the tensor with this role. */
    Shape shape(String role) {
        return Shape.of(longs(attributes.get("tensors").required(role)));
    }

    /** The elements of an F32 tensor. */
    float[] floats(String role) {
        float[] values = new float[(int) shape(role).count()];
        data(role, "F32").asFloatBuffer().get(values);
        return values;
    }

    /** The elements of an I32 tensor. */
    int[] ints(String role) {
        int[] values = new int[(int) shape(role).count()];
        data(role, "I32").asIntBuffer().get(values);
        return values;
    }

    @Override
    public String toString() {
        return name;
    }

    private ByteBuffer data(String role, String dtype) {
        JsonNode tensor = HEADER.required(name + "." + role);
        if (!tensor.get("dtype").asText().equals(dtype) || !Shape.of(longs(tensor.get("shape"))).equals(shape(role))) {
            throw new IllegalStateException(name + "." + role + " is not " + dtype + shape(role) + " but " + tensor);
        }
        long[] range = longs(tensor.get("data_offsets"));
        int start = 8 + (int) FILE.getLong(0);
        return FILE.slice(start + (int) range[0], (int) (range[1] - range[0])).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static long[] longs(JsonNode array) {
        return array.valueStream().mapToLong(JsonNode::asLong).toArray();
    }

    private static ByteBuffer file() {
        return ByteBuffer.wrap(resource("ops.safetensors")).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static JsonNode header() {
        byte[] json = new byte[(int) FILE.getLong(0)];
        FILE.get(8, json);
        return parse(json);
    }

    private static JsonNode index() {
        return parse(resource("ops.json")).required("cases");
    }

    private static JsonNode parse(byte[] json) {
        try {
            return new ObjectMapper().readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] resource(String name) {
        try (InputStream in = Golden.class.getResourceAsStream("/golden/" + name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
