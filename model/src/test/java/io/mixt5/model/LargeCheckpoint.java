package io.mixt5.model;

import io.mixt5.engine.Device;
import io.mixt5.engine.HostMemory;
import io.mixt5.engine.Kernel;
import io.mixt5.model.io.StrictJson;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * A model of any size on the disk, with weights of zero that take no place there and no memory here. Twelve blocks are
 * T5-v1.1-base: 990 MB.
 */
final class LargeCheckpoint {
    private static final int ZIP_HEADER = 0x04034b50;
    private static final int ZIP_LISTED = 0x02014b50;
    private static final int ZIP_END = 0x06054b50;

    /** Memory that is not there. */
    private static final class Nowhere extends HostMemory {
        @Override
        public String name() {
            return "nowhere";
        }

        @Override
        public String unavailable() {
            return null;
        }

        @Override
        public <K extends Kernel> K kernel(Class<K> type) {
            throw new UnsupportedOperationException(type.getName());
        }

        @Override
        public long allocate(long bytes) {
            return Long.BYTES;
        }

        @Override
        public void free(long address, long bytes) {
        }

        @Override
        public void zero(long address, long bytes) {
        }
    }

    private final Path directory;
    /** Shapes by name. */
    private final Map<String, long[]> tensors = new LinkedHashMap<>();

    /** Writes {@code config.json} of a model of so many blocks a stack into {@code directory}, which is there. */
    LargeCheckpoint(Path directory, int blocks) {
        this.directory = directory;
        T5Config config = T5Config.preset("base");
        config.numLayers = blocks;
        config.vocabSize = Math.min(32_128, 8_000 * blocks);
        StrictJson.write(directory.resolve("config.json"), StrictJson.toTree(config));
        T5Model.blank(config, Device.uncached(new Nowhere()),
                (name, shape) -> tensors.put(name, shape.dims())).close();
    }

    /** Bytes of the weights as F32. */
    long bytes() {
        return tensors.values().stream().mapToLong(shape -> Float.BYTES * count(shape)).sum();
    }

    /** Writes {@code model.safetensors} of a type of so many bytes. */
    Path writeSafetensors(String type, int width) throws IOException {
        StringBuilder header = new StringBuilder("{");
        long end = 0;
        for (Map.Entry<String, long[]> tensor : tensors.entrySet()) {
            long start = end;
            end += width * count(tensor.getValue());
            header.append(end == width * count(tensor.getValue()) ? "" : ",")
                    .append("\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%d,%d]}".formatted(
                            tensor.getKey(),
                            type, LongStream.of(tensor.getValue()).mapToObj(String::valueOf)
                                    .collect(Collectors.joining(",")),
                            start, end));
        }
        byte[] json = header.append("}").toString().getBytes(StandardCharsets.US_ASCII);
        Path file = directory.resolve("model.safetensors");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            write(channel, 0, littleEndian(Long.BYTES + json.length).putLong(json.length).put(json));
            write(channel, Long.BYTES + json.length + end - 1, littleEndian(1).put((byte) 0));
        }
        return file;
    }

    /** Writes {@code pytorch_model.bin}, a zip archive. */
    Path writeTorch() throws IOException {
        Path file = directory.resolve("pytorch_model.bin");
        ByteArrayOutputStream listed = new ByteArrayOutputStream();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            byte[] pickle = pickle();
            long at = startEntry(channel, 0, "model/data.pkl", pickle.length, listed);
            write(channel, at, littleEndian(pickle.length).put(pickle));
            at += pickle.length;
            int key = 0;
            for (long[] shape : tensors.values()) {
                long bytes = Float.BYTES * count(shape);
                at = startEntry(channel, at, "model/data/" + key++, (int) bytes, listed) + bytes;
            }
            write(channel, at, littleEndian(listed.size()).put(listed.toByteArray()));
            write(channel, at + listed.size(), littleEndian(22).putInt(ZIP_END).putShort(8, (short) (key + 1))
                    .putShort(10, (short) (key + 1)).putInt(12, listed.size()).putInt(16, (int) at).position(22));
        }
        return file;
    }

    private static long startEntry(FileChannel channel, long at, String name, int bytes, ByteArrayOutputStream listed)
            throws IOException {
        byte[] text = name.getBytes(StandardCharsets.US_ASCII);
        write(channel, at, littleEndian(30 + text.length).putInt(ZIP_HEADER).putInt(18, bytes).putInt(22, bytes)
                .putShort(26, (short) text.length).position(30).put(text));
        listed.writeBytes(littleEndian(46 + text.length).putInt(ZIP_LISTED).putInt(20, bytes).putInt(24, bytes)
                .putShort(28, (short) text.length).putInt(42, (int) at).position(46).put(text).array());
        return at + 30 + text.length;
    }

    private byte[] pickle() {
        ByteArrayOutputStream pickle = new ByteArrayOutputStream();
        pickle.writeBytes(new byte[]{(byte) 0x80, 2, '}'});
        int key = 0;
        for (Map.Entry<String, long[]> tensor : tensors.entrySet()) {
            long[] shape = tensor.getValue();
            text(pickle, tensor.getKey());
            ascii(pickle, "ctorch._utils\n_rebuild_tensor_v2\n((");
            text(pickle, "storage");
            ascii(pickle, "ctorch\nFloatStorage\n");
            text(pickle, String.valueOf(key++));
            text(pickle, "cpu");
            number(pickle, count(shape));
            ascii(pickle, "tQK\0(");
            LongStream.of(shape).forEach(size -> number(pickle, size));
            ascii(pickle, "t(");
            for (int i = 1; i < shape.length; i++) {
                number(pickle, shape[i]);
            }
            ascii(pickle, "K\1tNNtRs");
        }
        ascii(pickle, ".");
        return pickle.toByteArray();
    }

    private static void text(ByteArrayOutputStream pickle, String text) {
        pickle.write('X');
        pickle.writeBytes(littleEndian(4).putInt(text.length()).array());
        ascii(pickle, text);
    }

    private static void number(ByteArrayOutputStream pickle, long number) {
        pickle.write('J');
        pickle.writeBytes(littleEndian(4).putInt((int) number).array());
    }

    private static void ascii(ByteArrayOutputStream pickle, String text) {
        pickle.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static ByteBuffer littleEndian(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static void write(FileChannel channel, long at, ByteBuffer bytes) throws IOException {
        bytes.flip();
        while (bytes.hasRemaining()) {
            channel.write(bytes, at + bytes.position());
        }
    }

    private static long count(long[] shape) {
        return LongStream.of(shape).reduce(1, Math::multiplyExact);
    }
}
