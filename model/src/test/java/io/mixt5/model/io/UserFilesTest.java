package io.mixt5.model.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.mixt5.engine.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class UserFilesTest {
    @TempDir
    private Path directory;

    @Test
    void requiresAFile() throws IOException {
        Path missing = directory.resolve("missing");
        assertMessage("there is no file " + missing, () -> UserFiles.requireFile(missing));
        assertMessage(directory + " is a directory, but a file is needed here",
                () -> UserFiles.requireFile(directory));
        UserFiles.requireFile(Files.createFile(missing));
    }

    @Test
    void requiresADirectory() throws IOException {
        Path path = directory.resolve("x");
        assertMessage("there is no directory " + path, () -> UserFiles.requireDirectory(path));
        Files.createFile(path);
        assertMessage(path + " is a file, but a directory is needed here", () -> UserFiles.requireDirectory(path));
        UserFiles.requireDirectory(directory);
    }

    @Test
    void makesAWritableDirectoryAndLeavesItEmpty() throws IOException {
        Path made = directory.resolve("a").resolve("b");
        UserFiles.requireWritableDirectory(made);
        UserFiles.requireWritableDirectory(made);
        try (Stream<Path> files = Files.list(made)) {
            assertEquals(0, files.count());
        }
    }

    @Test
    void refusesADirectoryThatIsAFileOrBelowOne() throws IOException {
        Path plain = Files.createFile(directory.resolve("plain"));
        assertMessage("cannot write " + plain + ": " + plain + " is a file, not a directory",
                () -> UserFiles.requireWritableDirectory(plain));
        Path below = plain.resolve("runs");
        String message = assertThrows(UserException.class, () -> UserFiles.requireWritableDirectory(below))
                .getMessage();
        assertTrue(message.startsWith("cannot write " + below + ": "), message);
    }

    @Test
    void refusesADirectoryWithoutPermission() throws IOException {
        Path locked = Files.createDirectory(directory.resolve("locked"));
        assertTrue(locked.toFile().setWritable(false));
        assumeTrue(!Files.isWritable(locked), "not run, as root writes everywhere");
        assertMessage("cannot write " + locked + ": permission denied",
                () -> UserFiles.requireWritableDirectory(locked));
        assertFalse(Files.exists(locked.resolve("x")));
    }

    private static void assertMessage(String message, Executable action) {
        assertEquals(message, assertThrows(UserException.class, action).getMessage());
    }
}
