package io.mixt5.model.io;

import io.mixt5.engine.UserException;
import io.mixt5.model.io.SafetensorsHeader.Entry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A safetensors file, mapped into memory: opening reads and checks the header alone, and a tensor's pages come from
 * the disk when they are touched.
 *
 * <p>Layout: 8 bytes little-endian length of the header, the header in JSON, the data. Safe for use by several
 * threads. The segments it gives are read-only and live until {@link #close}.
 */
public final class SafetensorsFile implements AutoCloseable {
    private static final int LENGTH_BYTES = 8;
    /** The format's own limit. */
    private static final long MAX_HEADER_BYTES = 100_000_000;

    private final Path file;
    private final Arena arena;
    private final SafetensorsHeader header;
    private final MemorySegment data;

    private SafetensorsFile(Path file, Arena arena, SafetensorsHeader header, MemorySegment data) {
        this.file = file;
        this.arena = arena;
        this.header = header;
        this.data = data;
    }

    /**
     * Opens {@code file}.
     *
     * @throws UserException if it cannot be read or its header is wrong in any way
     */
    public static SafetensorsFile open(Path file) {
        Objects.requireNonNull(file, "file");
        UserFiles.requireFile(file);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long fileBytes = channel.size();
            long headerBytes = headerBytes(file, channel, fileBytes);
            long dataStart = LENGTH_BYTES + headerBytes;
            long dataBytes = fileBytes - dataStart;
            byte[] text = readFully(file, channel, LENGTH_BYTES, (int) headerBytes).array();
            SafetensorsHeader header = SafetensorsHeader.parse(file, text, dataBytes);
            Arena arena = Arena.ofShared();
            try {
                MemorySegment data = channel.map(MapMode.READ_ONLY, dataStart, dataBytes, arena);
                return new SafetensorsFile(file, arena, header, data);
            } catch (IOException e) {
                arena.close();
                throw e;
            }
        } catch (IOException e) {
            throw UserFiles.cannotRead(file, e);
        }
    }

    /** The names of the tensors, in the order of the header. */
    public List<String> names() {
        return List.copyOf(header.entries().keySet());
    }

    /** Whether there is a tensor {@code name}. */
    public boolean has(String name) {
        return header.entries().containsKey(name);
    }

    /** The texts that go with the tensors, such as {@code format: pt}; empty where there are none. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(header.metadata());
    }

    /**
     * The tensor {@code name}; its data is a view of the mapped file.
     *
     * @throws UserException if there is none
     */
    public SafetensorsTensor info(String name) {
        Entry entry = header.entries().get(name);
        if (entry == null) {
            String hint = NearestWord.of(name, header.entries().keySet())
                    .map(near -> ", the nearest is '" + near + "'").orElse("");
            throw new UserException("there is no tensor '" + name + "' in " + file + hint);
        }
        return new SafetensorsTensor(name, entry.type(), entry.shape(),
                data.asSlice(entry.start(), entry.end() - entry.start()));
    }

    /**
     * The tensor {@code name}, which must have {@code shape}.
     *
     * @throws UserException if there is none or it has another shape
     */
    public SafetensorsTensor require(String name, long... shape) {
        SafetensorsTensor tensor = info(name);
        if (!Arrays.equals(tensor.shape(), shape)) {
            throw new UserException("tensor '" + name + "' in " + file + " has the shape "
                    + Arrays.toString(tensor.shape()) + ", but the model needs " + Arrays.toString(shape));
        }
        return tensor;
    }

    /** Unmaps the file; touching a tensor's data afterwards is an {@link IllegalStateException}. */
    @Override
    public void close() {
        arena.close();
    }

    private static long headerBytes(Path file, FileChannel channel, long fileBytes) throws IOException {
        if (fileBytes < LENGTH_BYTES) {
            throw new UserException(file + " is no safetensors file: it has only " + fileBytes + " bytes");
        }
        long bytes = readFully(file, channel, 0, LENGTH_BYTES).getLong(0);
        if (bytes < 0 || bytes > MAX_HEADER_BYTES) {
            throw new UserException(file + " is no safetensors file: it gives " + Long.toUnsignedString(bytes)
                    + " bytes for its header, and at most " + MAX_HEADER_BYTES + " are allowed");
        }
        if (bytes > fileBytes - LENGTH_BYTES) {
            throw new UserException(file + " ends in its header of " + bytes + " bytes, it was cut");
        }
        return bytes;
    }

    private static ByteBuffer readFully(Path file, FileChannel channel, long from, int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, from + buffer.position()) < 0) {
                throw new UserException(file + " was cut while it was read");
            }
        }
        return buffer;
    }
}
