package io.mixt5.model.io;

import io.mixt5.engine.UserException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file that is open for reading at any place.
 *
 * <p>Reading copies from the system's cache straight to where the bytes shall be, so that, other than with a mapping,
 * no page of the file counts as this process's memory. Safe for use by several threads.
 */
final class DataFile implements AutoCloseable {
    /** What a clone without Git LFS has in place of a large file. */
    private static final String POINTER_START = "version https://git-lfs";

    private final Path path;
    private final FileChannel channel;
    private final long size;

    private DataFile(Path path, FileChannel channel, long size) {
        this.path = path;
        this.channel = channel;
        this.size = size;
    }

    /**
     * Opens {@code path}.
     *
     * @throws UserException if it is no file or cannot be read
     */
    static DataFile open(Path path) {
        UserFiles.requireFile(path);
        FileChannel channel = null;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
            DataFile file = new DataFile(path, channel, channel.size());
            file.refusePointer();
            return file;
        } catch (IOException e) {
            close(channel);
            throw UserFiles.cannotRead(path, e);
        } catch (UserException e) {
            close(channel);
            throw e;
        }
    }

    private void refusePointer() {
        if (size >= POINTER_START.length() && StandardCharsets.ISO_8859_1
                .decode(read(0, POINTER_START.length())).toString().equals(POINTER_START)) {
            throw new UserException(path + " is not the file itself but Git LFS's note of where it is; fetch it with "
                    + "git lfs pull");
        }
    }

    /** Where it is, for messages. */
    Path path() {
        return path;
    }

    /** Its bytes when it was opened. */
    long size() {
        return size;
    }

    /**
     * The {@code count} bytes from {@code position} on, little-endian.
     *
     * @throws UserException if the file ends before
     */
    ByteBuffer read(long position, int count) {
        ByteBuffer buffer = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
        read(position, buffer);
        return buffer.flip();
    }

    /**
     * Fills {@code target}, native memory of less than 2^31 bytes, from {@code position} on.
     *
     * @throws UserException if the file ends before
     */
    void read(long position, MemorySegment target) {
        read(position, target.asByteBuffer());
    }

    private void read(long position, ByteBuffer target) {
        try {
            while (target.hasRemaining()) {
                int count = channel.read(target, position + target.position());
                if (count < 0) {
                    throw new UserException(path + " was cut while it was read");
                }
            }
        } catch (IOException e) {
            throw UserFiles.cannotRead(path, e);
        }
    }

    /** The {@code count} bytes from {@code position} on as memory, read-only, as long as {@code arena} lives. */
    MemorySegment map(long position, long count, Arena arena) {
        try {
            return channel.map(MapMode.READ_ONLY, position, count, arena);
        } catch (IOException e) {
            throw UserFiles.cannotRead(path, e);
        }
    }

    @Override
    public void close() {
        close(channel);
    }

    private static void close(FileChannel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            // Nothing was written, so nothing is lost.
        }
    }
}
