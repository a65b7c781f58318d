package io.mixt5.model.io;

import io.mixt5.engine.UserException;
import io.mixt5.model.io.SafetensorsHeader.Entry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A safetensors file: opening reads and checks the header alone.
 *
 * <p>Layout: 8 bytes little-endian length of the header, the header in JSON, the data. A tensor's elements are read
 * from the disk on demand, or seen in a mapping of the file, whose pages come when they are touched. Safe for use by
 * several threads. The segments it gives are read-only and live until {@link #close}.
 */
public final class SafetensorsFile implements TensorSource {
    private static final int LENGTH_BYTES = 8;
    /** The format's own limit. */
    private static final long MAX_HEADER_BYTES = 100_000_000;

    private final DataFile file;
    private final Arena arena = Arena.ofShared();
    private final SafetensorsHeader header;
    private final long dataStart;
    private final MemorySegment data;

    private SafetensorsFile(DataFile file, SafetensorsHeader header, long dataStart) {
        this.file = file;
        this.header = header;
        this.dataStart = dataStart;
        this.data = file.map(dataStart, file.size() - dataStart, arena);
    }

    /**
     * Opens {@code path}.
     *
     * @throws UserException if it cannot be read or its header is wrong in any way
     */
    public static SafetensorsFile open(Path path) {
        Objects.requireNonNull(path, "path");
        DataFile file = DataFile.open(path);
        try {
            int headerBytes = headerBytes(file);
            long dataStart = LENGTH_BYTES + headerBytes;
            SafetensorsHeader header = SafetensorsHeader.parse(path, file.read(LENGTH_BYTES, headerBytes).array(),
                    file.size() - dataStart);
            return new SafetensorsFile(file, header, dataStart);
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    @Override
    public Path path() {
        return file.path();
    }

    @Override
    public long bytes() {
        return file.size();
    }

    @Override
    public List<String> names() {
        return List.copyOf(header.entries().keySet());
    }

    @Override
    public Optional<StoredTensor> find(String name) {
        return Optional.ofNullable(header.entries().get(name))
                .map(entry -> StoredTensor.dense(name, entry.type(), entry.shape(), file, dataStart + entry.start()));
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
        StoredTensor tensor = tensor(name);
        Entry entry = header.entries().get(name);
        return new SafetensorsTensor(name, tensor.type(), tensor.shape(),
                data.asSlice(entry.start(), entry.end() - entry.start()));
    }

    /**
     * The tensor {@code name}, which must have {@code shape}.
     *
     * @throws UserException if there is none or it has another shape
     */
    public SafetensorsTensor require(String name, long... shape) {
        tensor(name).requireShape(shape);
        return info(name);
    }

    /** Unmaps the file; touching a tensor's data afterwards is an {@link IllegalStateException}. */
    @Override
    public void close() {
        arena.close();
        file.close();
    }

    private static int headerBytes(DataFile file) {
        if (file.size() < LENGTH_BYTES) {
            throw new UserException(file.path() + " is no safetensors file: it has only " + file.size() + " bytes");
        }
        long bytes = file.read(0, LENGTH_BYTES).getLong();
        if (bytes < 0 || bytes > MAX_HEADER_BYTES) {
            throw new UserException(file.path() + " is no safetensors file: it gives " + Long.toUnsignedString(bytes)
                    + " bytes for its header, and at most " + MAX_HEADER_BYTES + " are allowed");
        }
        if (bytes > file.size() - LENGTH_BYTES) {
            throw new UserException(file.path() + " ends in its header of " + bytes + " bytes, it was cut");
        }
        return (int) bytes;
    }
}
