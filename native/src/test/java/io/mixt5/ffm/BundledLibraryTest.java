package io.mixt5.ffm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Unpacks small resources of a jar that is on every test's class path. */
class BundledLibraryTest {
    private static final String FOLDER = "org/junit/jupiter/api";
    private static final String MAIN = "Test.class";
    private static final String COMPANION = "Tag.class";

    @TempDir
    Path temporary;

    @BeforeEach
    void useTemporaryCache() {
        System.setProperty("mixt5.cache", temporary.resolve("cache").toString());
    }

    @AfterEach
    void useDefaultCache() {
        System.clearProperty("mixt5.cache");
    }

    @Test
    void unpacksOnceSideBySide() throws IOException {
        Path file = unpack();
        assertTrue(file.startsWith(temporary));
        assertArrayEquals(content(MAIN), Files.readAllBytes(file));
        assertArrayEquals(content(COMPANION), Files.readAllBytes(file.resolveSibling(COMPANION)));
        try (Stream<Path> files = Files.list(file.getParent())) {
            assertEquals(2, files.count(), "something was left beside the two files");
        }
        FileTime longAgo = FileTime.fromMillis(1000);
        Files.setLastModifiedTime(file, longAgo);
        assertEquals(file, unpack());
        assertEquals(longAgo, Files.getLastModifiedTime(file), "a file in place was written again");
    }

    @Test
    void replacesAFileOfTheWrongSize() throws IOException {
        Path file = unpack();
        Files.write(file, new byte[]{1, 2, 3});
        assertArrayEquals(content(MAIN), Files.readAllBytes(unpack()));
    }

    @Test
    void keepsDifferentContentApart() throws IOException {
        assertNotEquals(unpack().getParent(), BundledLibrary.unpack(FOLDER, COMPANION, List.of()).getParent());
    }

    @Test
    void hasNothingForAMissingResource() throws IOException {
        assertNull(BundledLibrary.unpack(FOLDER, "Missing.class", List.of()));
    }

    @Test
    void refusesADirectoryThatOthersMayWrite() throws IOException {
        Path directory = unpack().getParent();
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
        IOException refused = assertThrows(IOException.class, BundledLibraryTest::unpack);
        assertTrue(refused.getMessage().contains("is not private"), refused.getMessage());
    }

    private static Path unpack() throws IOException {
        return BundledLibrary.unpack(FOLDER, MAIN, List.of(COMPANION, "Missing.class"));
    }

    private static byte[] content(String name) throws IOException {
        try (var in = BundledLibraryTest.class.getClassLoader().getResourceAsStream(FOLDER + "/" + name)) {
            return in.readAllBytes();
        }
    }
}
