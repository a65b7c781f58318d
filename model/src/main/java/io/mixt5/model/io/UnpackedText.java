package io.mixt5.model.io;

import io.mixt5.engine.UserException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a packed file unpacks to, which ends in an error where it is so much that it can be no text but a trap. */
final class UnpackedText extends FilterInputStream {
    /** gzip packs a data set to a fourth, and zeros, which may be meant to fill the memory, to a thousandth. */
    private static final long MOST_TIMES = 100;
    private static final long ALWAYS_ALLOWED = 1 << 24;

    private final Path file;
    private long left;

    /** @param in unpacks {@code file}; closed with this */
    UnpackedText(InputStream in, Path file) throws IOException {
        super(in);
        this.file = file;
        this.left = Math.max(ALWAYS_ALLOWED, MOST_TIMES * Files.size(file));
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int from, int length) throws IOException {
        int count = super.read(target, from, length);
        left -= Math.max(0, count);
        if (left < 0) {
            throw new UserException(file + " unpacks to more than " + MOST_TIMES
                    + " times its size, as no text does; if it is good, unpack it by hand");
        }
        return count;
    }
}
