package io.mixt5.model.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mixt5.engine.UserException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
    @TempDir
    private Path directory;

    @Test
    void writesAndReplaces() throws IOException {
        Path file = directory.resolve("a.bin");
        AtomicFile.write(file, channel -> channel.write(ByteBuffer.wrap(new byte[]{1, 2, 3})));
        assertArrayEquals(new byte[]{1, 2, 3}, Files.readAllBytes(file));
        AtomicFile.write(file, channel -> channel.write(ByteBuffer.wrap(new byte[]{4})));
        assertArrayEquals(new byte[]{4}, Files.readAllBytes(file));
        assertEquals(List.of("a.bin"), content());
    }

    @Test
    void leavesTheOldFileWhenTheContentFails() throws IOException {
        Path file = directory.resolve("a.bin");
        Files.write(file, new byte[]{9});
        UserException e = assertThrows(UserException.class, () -> AtomicFile.write(file, channel -> {
            channel.write(ByteBuffer.wrap(new byte[1000]));
            throw new IOException("No space left on device");
        }));
        assertEquals("cannot write " + file + ": No space left on device", e.getMessage());
        assertArrayEquals(new byte[]{9}, Files.readAllBytes(file));
        assertThrows(IllegalStateException.class, () -> AtomicFile.write(file, channel -> {
            channel.write(ByteBuffer.wrap(new byte[1000]));
            throw new IllegalStateException("a bug");
        }));
        assertArrayEquals(new byte[]{9}, Files.readAllBytes(file));
        assertEquals(List.of("a.bin"), content());
    }

    @Test
    void overwritesWhatAKilledProcessLeft() throws IOException {
        Path file = directory.resolve("a.bin");
        Files.write(directory.resolve("a.bin.tmp"), new byte[100]);
        AtomicFile.write(file, channel -> channel.write(ByteBuffer.wrap(new byte[]{7})));
        assertArrayEquals(new byte[]{7}, Files.readAllBytes(file));
        assertEquals(List.of("a.bin"), content());
    }

    @Test
    void saysWhyItCannotWrite() throws IOException {
        Path missing = directory.resolve("missing").resolve("a.bin");
        assertEquals("cannot write " + missing + ": there is no " + missing + ".tmp",
                assertThrows(UserException.class, () -> AtomicFile.write(missing, channel -> {
                })).getMessage());
        assertEquals("cannot write " + directory + ": it is a directory",
                assertThrows(UserException.class, () -> AtomicFile.write(directory, channel -> {
                })).getMessage());
        Path plain = Files.createFile(directory.resolve("plain"));
        Path below = plain.resolve("a.bin");
        assertEquals("cannot write " + below + ": Not a directory",
                assertThrows(UserException.class, () -> AtomicFile.write(below, channel -> {
                })).getMessage());
        assertEquals(List.of("plain"), content());
    }

    private List<String> content() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
