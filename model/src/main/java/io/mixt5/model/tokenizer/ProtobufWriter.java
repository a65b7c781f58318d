package io.mixt5.model.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Writes the fields of one protobuf message in the order of the calls; the counterpart of {@link ProtobufReader}.
 */
final class ProtobufWriter {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** Appends an integer, enum or (0, 1) boolean; a negative one takes ten bytes, as in protobuf's int32. */
    ProtobufWriter number(int field, long value) {
        tag(field, ProtobufReader.VARINT);
        varint(value);
        return this;
    }

    /** Appends a float. */
    ProtobufWriter fixedFloat(int field, float value) {
        tag(field, ProtobufReader.FIXED32);
        int bits = Float.floatToRawIntBits(value);
        for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
            out.write(bits >>> shift);
        }
        return this;
    }

    /** Appends text as UTF-8. */
    ProtobufWriter text(int field, String value) {
        return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    /** Appends bytes. */
    ProtobufWriter bytes(int field, byte[] value) {
        tag(field, ProtobufReader.BYTES);
        varint(value.length);
        out.writeBytes(value);
        return this;
    }

    /** Appends a message in the message. */
    ProtobufWriter message(int field, ProtobufWriter value) {
        return bytes(field, value.toBytes());
    }

    /** The message so far. */
    byte[] toBytes() {
        return out.toByteArray();
    }

    private void tag(int field, int wireType) {
        varint((long) field << 3 | wireType);
    }

    private void varint(long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            out.write((int) rest & 0x7f | 0x80);
            rest >>>= 7;
        }
        out.write((int) rest);
    }
}
