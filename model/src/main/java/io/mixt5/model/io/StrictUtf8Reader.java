package io.mixt5.model.io;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;

/**
 * Characters from UTF-8 bytes; a byte that is not UTF-8 is an error that says where, never a replacement character.
 * A byte order mark at the start is skipped. Not for use by several threads.
 */
public final class StrictUtf8Reader extends Reader {
    /** Bytes that are not UTF-8. */
    public static final class InvalidUtf8Exception extends IOException {
        private static final long serialVersionUID = 1L;

        private InvalidUtf8Exception(String message) {
            super(message);
        }
    }

    private static final int BUFFER_BYTES = 1 << 14;
    private static final char BYTE_ORDER_MARK = '\uFEFF';

    private final InputStream in;
    /** A new decoder reports malformed input. */
    private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    private final ByteBuffer bytes = ByteBuffer.allocate(BUFFER_BYTES).limit(0);
    private final CharBuffer chars = CharBuffer.allocate(BUFFER_BYTES).limit(0);
    /** Offset in the input of the first byte of {@link #bytes}. */
    private long offset;
    private boolean started;
    private boolean ended;

    /** Reads {@code in}, which is closed with this reader. */
    public StrictUtf8Reader(InputStream in) {
        this.in = in;
    }

    /**
     * Reads up to {@code length} characters.
     *
     * @throws InvalidUtf8Exception at the first byte that is not UTF-8
     */
    @Override
    public int read(char[] target, int from, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (!chars.hasRemaining() && !fill()) {
            return -1;
        }
        int count = Math.min(length, chars.remaining());
        chars.get(target, from, count);
        return count;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }

    /** Decodes more characters; false at the end of the input. */
    private boolean fill() throws IOException {
        chars.clear();
        while (chars.position() == 0 && !(ended && !bytes.hasRemaining())) {
            if (decoder.decode(bytes, chars, ended).isError()) {
                throw invalid();
            }
            if (chars.position() == 0) {
                readBytes();
            } else if (!started) {
                started = true;
                skipByteOrderMark();
            }
        }
        chars.flip();
        return chars.hasRemaining();
    }

    private void skipByteOrderMark() {
        chars.flip();
        if (chars.get(0) == BYTE_ORDER_MARK) {
            chars.get();
        }
        chars.compact();
    }

    private void readBytes() throws IOException {
        offset += bytes.position();
        bytes.compact();
        int count = in.read(bytes.array(), bytes.position(), bytes.remaining());
        if (count < 0) {
            ended = true;
        } else {
            bytes.position(bytes.position() + count);
        }
        bytes.flip();
    }

    private InvalidUtf8Exception invalid() {
        int first = bytes.get(bytes.position()) & 0xFF;
        boolean startsCharacter = first >= 0xC2 && first <= 0xF4;
        if (ended && bytes.remaining() < 4 && startsCharacter && onlyContinuationBytesFollow()) {
            return new InvalidUtf8Exception("ends in the middle of a UTF-8 character, it was cut");
        }
        return new InvalidUtf8Exception("is not valid UTF-8 at byte " + (offset + bytes.position()));
    }

    private boolean onlyContinuationBytesFollow() {
        for (int i = bytes.position() + 1; i < bytes.limit(); i++) {
            if ((bytes.get(i) & 0xC0) != 0x80) {
                return false;
            }
        }
        return true;
    }
}
