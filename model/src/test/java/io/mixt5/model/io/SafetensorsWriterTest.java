package io.mixt5.model.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.UserException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
    @TempDir
    private Path directory;
    private Path file;

    @BeforeEach
    void nameFile() {
        file = directory.resolve("model.safetensors");
    }

    @Test
    void writesTheBytesOfTheFormat() throws IOException {
        SafetensorsWriter.write(file, List.of(
                new SafetensorsTensor("b", SafetensorsType.F32, new long[]{1, 2}, bytes(1, 2, 3, 4, 5, 6, 7, 8)),
                new SafetensorsTensor("a\"\u00e9", SafetensorsType.BOOL, new long[]{3}, bytes(1, 0, 1))));
        String header = "{\"__metadata__\":{\"format\":\"pt\"},"
                + "\"b\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},"
                + "\"a\\\"\u00e9\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[8,11]}}";
        ByteBuffer found = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int length = (int) found.getLong();
        assertEquals(0, length % 8);
        byte[] text = new byte[length];
        found.get(text);
        assertEquals(header, new String(text, StandardCharsets.UTF_8).stripTrailing());
        assertTrue(length - header.getBytes(StandardCharsets.UTF_8).length < 8);
        byte[] data = new byte[found.remaining()];
        found.get(data);
        assertArrayEquals(new byte[]{1, 2, 3, 4, 5, 6, 7, 8, 1, 0, 1}, data);
    }

    @Test
    void readsBackWhatItWroteAndWritesTheSameAgain() throws IOException {
        Random random = new Random(5);
        for (int round = 0; round < 50; round++) {
            try (Arena arena = round % 2 == 0 ? Arena.ofConfined() : Arena.ofShared()) {
                List<SafetensorsTensor> tensors = randomTensors(random, arena);
                SafetensorsWriter.write(file, tensors);
                try (SafetensorsFile read = SafetensorsFile.open(file)) {
                    assertEquals(tensors.stream().map(SafetensorsTensor::name).toList(), read.names());
                    for (SafetensorsTensor tensor : tensors) {
                        SafetensorsTensor again = read.require(tensor.name(), tensor.shape());
                        assertEquals(tensor.type(), again.type());
                        assertEquals(-1, tensor.data().mismatch(again.data()));
                    }
                    Path copy = directory.resolve("copy.safetensors");
                    SafetensorsWriter.write(copy, read.names().stream().map(read::info).toList(), read.metadata());
                    assertEquals(-1, Files.mismatch(file, copy));
                }
            }
        }
    }

    @Test
    void writesATensorOfSeveralChunks() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate((1 << 26) + 12);
            for (long i = 0; i < data.byteSize(); i += 4) {
                data.set(ValueLayout.JAVA_INT, i, (int) i);
            }
            SafetensorsWriter.write(file, List.of(new SafetensorsTensor("x", SafetensorsType.I32,
                    new long[]{data.byteSize() / 4}, data)));
            try (SafetensorsFile read = SafetensorsFile.open(file)) {
                assertEquals(-1, data.mismatch(read.info("x").data()));
            }
        }
    }

    @Test
    void writesNoTensorsAndNoMetadata() throws IOException {
        SafetensorsWriter.write(file, List.of(), Map.of());
        assertEquals("{}", Files.readString(file).substring(8).strip());
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            assertEquals(List.of(), read.names());
        }
    }

    @Test
    void refusesWhatDoesNotFit() {
        SafetensorsTensor good = new SafetensorsTensor("a", SafetensorsType.U8, new long[]{2}, bytes(1, 2));
        for (List<SafetensorsTensor> tensors : List.of(List.of(good, good),
                List.of(new SafetensorsTensor("__metadata__", SafetensorsType.U8, new long[]{2}, bytes(1, 2))),
                List.of(new SafetensorsTensor("a", SafetensorsType.U8, new long[]{3}, bytes(1, 2))),
                List.of(new SafetensorsTensor("a", SafetensorsType.F32, new long[]{}, bytes(1, 2))),
                List.of(new SafetensorsTensor("a", SafetensorsType.U8, new long[]{-1, -2}, bytes(1, 2))))) {
            assertThrows(IllegalArgumentException.class, () -> SafetensorsWriter.write(file, tensors));
            assertFalse(Files.exists(file));
        }
    }

    @Test
    void leavesTheOldFileWhereTheDataFails() throws IOException {
        SafetensorsTensor good = new SafetensorsTensor("a", SafetensorsType.U8, new long[]{2}, bytes(1, 2));
        SafetensorsWriter.write(file, List.of(good));
        byte[] before = Files.readAllBytes(file);
        MemorySegment freed;
        try (Arena arena = Arena.ofConfined()) {
            freed = arena.allocate(8);
        }
        assertThrows(IllegalStateException.class, () -> SafetensorsWriter.write(file,
                List.of(good, new SafetensorsTensor("b", SafetensorsType.U8, new long[]{8}, freed))));
        assertArrayEquals(before, Files.readAllBytes(file));
        try (var files = Files.list(directory)) {
            assertEquals(List.of(file), files.toList());
        }
    }

    @Test
    void namesTheFileThatCannotBeWritten() {
        Path missing = directory.resolve("missing").resolve("model.safetensors");
        String message = assertThrows(UserException.class, () -> SafetensorsWriter.write(missing, List.of()))
                .getMessage();
        assertTrue(message.startsWith("cannot write " + missing + ": "), message);
    }

    private static List<SafetensorsTensor> randomTensors(Random random, Arena arena) {
        List<SafetensorsTensor> tensors = new ArrayList<>();
        SafetensorsType[] types = SafetensorsType.values();
        for (int i = random.nextInt(8); i > 0; i--) {
            long[] shape = random.ints(random.nextInt(4), 0, 9).asLongStream().toArray();
            SafetensorsType type = types[random.nextInt(types.length)];
            byte[] content = new byte[(int) type.bytes(shape)];
            random.nextBytes(content);
            MemorySegment data = arena.allocate(content.length).copyFrom(MemorySegment.ofArray(content));
            tensors.add(new SafetensorsTensor("t\u20ac\n" + i + Arrays.toString(shape), type, shape, data));
        }
        return tensors;
    }

    private static MemorySegment bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return MemorySegment.ofArray(bytes);
    }
}
