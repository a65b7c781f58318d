package io.mixt5.model.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes safetensors files, whole or not at all, the same bytes for the same tensors.
 *
 * <p>The tensors follow each other in the order given; the header is padded with spaces so that the data starts at a
 * multiple of 8 bytes. Data goes to the disk from where it lies, without a copy of the model.
 */
public final class SafetensorsWriter {
    private static final int ALIGNMENT = 8;
    private static final long CHUNK_BYTES = 1L << 26;
    /** What transformers writes and asks for when it loads. */
    private static final Map<String, String> METADATA = Map.of("format", "pt");

    private SafetensorsWriter() {
    }

    /**
     * Writes {@code tensors} to {@code file}, which it replaces, with the metadata {@code format: pt}.
     *
     * @param tensors with data in native memory or in a {@code byte[]}, of as many bytes as type and shape say
     * @throws IllegalArgumentException if they are not, or a name is twice or reserved
     * @throws io.mixt5.engine.UserException if the file cannot be written; it is then as it was
     */
    public static void write(Path file, Collection<SafetensorsTensor> tensors) {
        write(file, tensors, METADATA);
    }

    /**
     * As {@link #write(Path, Collection)}, with {@code metadata} in the order of its iteration.
     */
    public static void write(Path file, Collection<SafetensorsTensor> tensors, Map<String, String> metadata) {
        for (SafetensorsTensor tensor : tensors) {
            requireBytes(WritableTensor.of(tensor), tensor.data());
        }
        writeEach(file, tensors.stream().map(WritableTensor::of).toList(), metadata);
    }

    /**
     * As {@link #write(Path, Collection)}, from tensors that give their content one after the other, each when its turn
     * comes.
     */
    public static void writeEach(Path file, List<WritableTensor> tensors) {
        writeEach(file, tensors, METADATA);
    }

    private static void writeEach(Path file, List<WritableTensor> tensors, Map<String, String> metadata) {
        check(tensors);
        ByteBuffer header = header(tensors, metadata);
        AtomicFile.write(file, channel -> {
            writeFully(channel, header);
            for (WritableTensor tensor : tensors) {
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment data = tensor.content().in(arena);
                    requireBytes(tensor, data);
                    writeData(channel, data);
                }
            }
        });
    }

    private static void check(List<WritableTensor> tensors) {
        Set<String> names = new HashSet<>();
        for (WritableTensor tensor : tensors) {
            if (tensor.name().equals(SafetensorsHeader.METADATA) || !names.add(tensor.name())) {
                throw new IllegalArgumentException("tensor name reserved or used twice: " + tensor.name());
            }
            if (Arrays.stream(tensor.shape()).anyMatch(size -> size < 0)) {
                throw new IllegalArgumentException(
                        "tensor " + tensor.name() + " has the shape " + Arrays.toString(tensor.shape()));
            }
        }
    }

    private static void requireBytes(WritableTensor tensor, MemorySegment data) {
        if (tensor.bytes() != data.byteSize()) {
            throw new IllegalArgumentException("tensor " + tensor.name() + " has " + data.byteSize()
                    + " bytes of data for " + tensor.type() + " of shape " + Arrays.toString(tensor.shape()));
        }
    }

    /** The length of the header and the header. */
    private static ByteBuffer header(List<WritableTensor> tensors, Map<String, String> metadata) {
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        try (JsonGenerator generator = new JsonFactory().createGenerator(json)) {
            generator.writeStartObject();
            if (!metadata.isEmpty()) {
                generator.writeObjectFieldStart(SafetensorsHeader.METADATA);
                for (Map.Entry<String, String> entry : metadata.entrySet()) {
                    generator.writeStringField(entry.getKey(), entry.getValue());
                }
                generator.writeEndObject();
            }
            long start = 0;
            for (WritableTensor tensor : tensors) {
                long end = start + tensor.bytes();
                generator.writeObjectFieldStart(tensor.name());
                generator.writeStringField("dtype", tensor.type().name());
                generator.writeFieldName("shape");
                generator.writeArray(tensor.shape(), 0, tensor.shape().length);
                generator.writeFieldName("data_offsets");
                generator.writeArray(new long[]{start, end}, 0, 2);
                generator.writeEndObject();
                start = end;
            }
            generator.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        while (json.size() % ALIGNMENT != 0) {
            json.write(' ');
        }
        return ByteBuffer.allocate(Long.BYTES + json.size()).order(ByteOrder.LITTLE_ENDIAN).putLong(json.size())
                .put(json.toByteArray()).flip();
    }

    /** In chunks, as a buffer holds less than 2^31 bytes. */
    private static void writeData(FileChannel channel, MemorySegment data) throws IOException {
        for (long from = 0; from < data.byteSize(); from += CHUNK_BYTES) {
            writeFully(channel, data.asSlice(from, Math.min(CHUNK_BYTES, data.byteSize() - from)).asByteBuffer());
        }
    }

    private static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }
}
