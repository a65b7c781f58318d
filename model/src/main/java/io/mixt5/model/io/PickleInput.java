package io.mixt5.model.io;

import io.mixt5.engine.UserException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A stretch of a file, read front to back in small pieces; whatever length the file claims, no more memory than a text
 * of {@link #MAX_TEXT_BYTES} is taken for it. Not for use by several threads.
 */
final class PickleInput {
    /** The longest text: names of tensors have some dozens of bytes. */
    private static final int MAX_TEXT_BYTES = 1 << 16;
    private static final int BUFFER_BYTES = 1 << 13;

    private final DataFile file;
    private final long end;
    private long next;
    private ByteBuffer buffer = ByteBuffer.allocate(0);

    /** Bytes [start, end) of {@code file}, which are there. */
    PickleInput(DataFile file, long start, long end) {
        this.file = file;
        this.next = start;
        this.end = end;
    }

    /** Place in the file of the next byte. */
    long position() {
        return next - buffer.remaining();
    }

    /** The next byte, 0 to 255. */
    int unsignedByte() {
        if (!buffer.hasRemaining()) {
            fill();
        }
        return buffer.get() & 0xff;
    }

    /** The next {@code count} bytes, at most 8, as an unsigned little-endian number; 8 of them may give a negative one. */
    long unsigned(int count) {
        long value = 0;
        for (int i = 0; i < count; i++) {
            value |= (long) unsignedByte() << Byte.SIZE * i;
        }
        return value;
    }

    /** The next {@code count} bytes. */
    byte[] bytes(int count) {
        require(count);
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = (byte) unsignedByte();
        }
        return bytes;
    }

    /** The next {@code length} bytes as text; {@code length} is unsigned. */
    String text(long length) {
        if (length < 0 || length > MAX_TEXT_BYTES) {
            throw new UserException(file.path() + ": its pickle has a text of " + Long.toUnsignedString(length)
                    + " bytes at byte " + position() + ", and at most " + MAX_TEXT_BYTES + " are allowed");
        }
        return decode(bytes((int) length));
    }

    /** The text up to the next line feed, which is passed over. */
    String line() {
        byte[] line = new byte[MAX_TEXT_BYTES >> 8];
        for (int length = 0; length < line.length; length++) {
            int next = unsignedByte();
            if (next == '\n') {
                return decode(Arrays.copyOf(line, length));
            }
            line[length] = (byte) next;
        }
        throw new UserException(
                file.path() + ": its pickle has a name of more than " + line.length + " bytes at byte " + position());
    }

    private String decode(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new UserException(
                    file.path() + ": its pickle has a text that is not UTF-8 before byte " + position(), e);
        }
    }

    private void require(long count) {
        if (count > end - position()) {
            throw new UserException(file.path() + " ends in the middle of its pickle, it was cut");
        }
    }

    private void fill() {
        require(1);
        int count = (int) Math.min(BUFFER_BYTES, end - next);
        buffer = file.read(next, count);
        next += count;
    }
}
