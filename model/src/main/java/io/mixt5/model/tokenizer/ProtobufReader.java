package io.mixt5.model.tokenizer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Reads the fields of one protobuf message, front to back, with every length checked.
 *
 * <p>Wire format: <a href="https://protobuf.dev/programming-guides/encoding/">Protocol Buffers, Encoding</a>.
 * Use: {@code while (reader.next()) switch (reader.field()) ...}, reading or skipping each field's value.
 */
final class ProtobufReader {
    static final int VARINT = 0;
    static final int FIXED64 = 1;
    static final int BYTES = 2;
    static final int FIXED32 = 5;

    /** The bytes are no protobuf message; the message says what is wrong with them. */
    static final class MalformedException extends Exception {
        private static final long serialVersionUID = 1L;

        MalformedException(String message) {
            super(message);
        }
    }

    private final ByteBuffer in;
    private int field;
    private int wireType;

    ProtobufReader(byte[] message) {
        this(ByteBuffer.wrap(message));
    }

    private ProtobufReader(ByteBuffer message) {
        in = message.order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Goes to the next field; false at the message's end. */
    boolean next() throws MalformedException {
        if (!in.hasRemaining()) {
            return false;
        }
        long tag = varint();
        wireType = (int) tag & 7;
        if (tag < 0 || tag >>> 3 == 0 || tag >>> 3 > 0x1fffffff) {
            throw malformed("has an invalid field number");
        }
        field = (int) (tag >>> 3);
        return true;
    }

    /** The number of the current field. */
    int field() {
        return field;
    }

    /** The current field's value, an integer, enum or boolean. */
    long number() throws MalformedException {
        expect(VARINT);
        return varint();
    }

    /** The current field's value, a float. */
    float fixedFloat() throws MalformedException {
        expect(FIXED32);
        need(Float.BYTES);
        return in.getFloat();
    }

    /** The current field's value, UTF-8 text. */
    String text() throws MalformedException {
        ByteBuffer bytes = slice();
        try {
            CharBuffer text = StandardCharsets.UTF_8.newDecoder().decode(bytes);
            return text.toString();
        } catch (CharacterCodingException e) {
            throw malformed("holds text that is not UTF-8");
        }
    }

    /** The current field's value, bytes. */
    byte[] bytes() throws MalformedException {
        ByteBuffer slice = slice();
        byte[] result = new byte[slice.remaining()];
        slice.get(result);
        return result;
    }

    /** The current field's value, a message in the message. */
    ProtobufReader message() throws MalformedException {
        return new ProtobufReader(slice());
    }

    /** Passes over the current field's value. */
    void skip() throws MalformedException {
        switch (wireType) {
            case VARINT -> varint();
            case FIXED64 -> advance(Long.BYTES);
            case BYTES -> slice();
            case FIXED32 -> advance(Float.BYTES);
            default -> throw malformed("has a field of unknown wire type " + wireType);
        }
    }

    private ByteBuffer slice() throws MalformedException {
        expect(BYTES);
        long length = varint();
        if (length < 0 || length > in.remaining()) {
            throw malformed("ends in the middle of a field");
        }
        ByteBuffer slice = in.slice(in.position(), (int) length);
        in.position(in.position() + (int) length);
        return slice;
    }

    private long varint() throws MalformedException {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            need(1);
            byte b = in.get();
            value |= (long) (b & 0x7f) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw malformed("has a number of more than ten bytes");
    }

    private void advance(int count) throws MalformedException {
        need(count);
        in.position(in.position() + count);
    }

    private void need(int count) throws MalformedException {
        if (in.remaining() < count) {
            throw malformed("ends in the middle of a field");
        }
    }

    private void expect(int type) throws MalformedException {
        if (wireType != type) {
            throw malformed("has field " + field + " with wire type " + wireType + " instead of " + type);
        }
    }

    private MalformedException malformed(String what) {
        return new MalformedException(what);
    }
}
