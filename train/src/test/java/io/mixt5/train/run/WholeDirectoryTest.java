package io.mixt5.train.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mixt5.engine.UserException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeDirectoryTest {
    @TempDir
    Path parent;

    @Test
    void replacesWhatWasThere() throws IOException {
        WholeDirectory.replace(parent.resolve("a"), content("1"));
        WholeDirectory.replace(parent.resolve("a"), content("2"));
        assertHolds("2");
    }

    @Test
    void contentThatFailsLeavesTheOldAndNothingElse() throws IOException {
        WholeDirectory.replace(parent.resolve("a"), content("1"));
        UserException failure = new UserException("the disk is full");
        assertEquals(failure,
                assertThrows(UserException.class, () -> WholeDirectory.replace(parent.resolve("a"), aside -> {
                    content("2").accept(aside);
                    throw failure;
                })));
        assertHolds("1");
    }

    /** Every state in which a process can be killed, in the order of the steps. */
    @Test
    void whatWasInterruptedIsFinished() throws IOException {
        make(".a.new", "2");
        make("a", "1");
        finish("1");
        make(".a.new", "2");
        make(".a.old", "1");
        finish("1");
        make("a", "2");
        make(".a.old", "1");
        finish("2");
        // Half removed.
        make("a", "2");
        Files.createDirectory(parent.resolve(".a.old"));
        finish("2");
    }

    @Test
    void whatIsBeingRemovedNeverStandsForTheWhole() throws IOException {
        make("a", "1");
        WholeDirectory.delete(parent.resolve("a"));
        WholeDirectory.delete(parent.resolve("a"));
        assertEquals(List.of(), names());
        make(".a.new", "half of it");
        WholeDirectory.finishAll(parent);
        assertEquals(List.of(), names());
    }

    private void finish(String expected) throws IOException {
        WholeDirectory.finishAll(parent);
        assertHolds(expected);
        WholeDirectory.delete(parent.resolve("a"));
    }

    private void assertHolds(String text) throws IOException {
        assertEquals(List.of("a"), names());
        assertEquals(text, Files.readString(parent.resolve("a/file")));
    }

    private List<String> names() throws IOException {
        try (var files = Files.list(parent)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private void make(String name, String text) throws IOException {
        content(text).accept(Files.createDirectory(parent.resolve(name)));
    }

    private static Consumer<Path> content(String text) {
        return directory -> {
            try {
                Files.writeString(directory.resolve("file"), text);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
    }
}
