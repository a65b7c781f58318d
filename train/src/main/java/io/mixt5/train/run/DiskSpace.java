package io.mixt5.train.run;

import io.mixt5.engine.UserException;
import io.mixt5.model.io.UserFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether there is room on a disk for what is to be written. */
final class DiskSpace {
    private DiskSpace() {
    }

    /**
     * Checks that {@code bytes} can be written into {@code directory}.
     *
     * @param purpose what for, and {@code remedy} what to do where there is no room, in the words of the sentence
     * @throws UserException when there is no room
     */
    static void require(Path directory, long bytes, String purpose, String remedy) {
        long free;
        try {
            free = Files.getFileStore(directory).getUsableSpace();
        } catch (IOException e) {
            throw UserFiles.cannotWrite(directory, e);
        }
        if (free < bytes) {
            throw new UserException("the disk of %s has %,d bytes free, but %,d are needed %s; %s".formatted(directory,
                    free, bytes, purpose, remedy));
        }
    }

    /** Bytes of the files below {@code directory}. */
    static long used(Path directory) {
        try (var files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile).mapToLong(DiskSpace::size).sum();
        } catch (IOException | UncheckedIOException e) {
            throw new UserException("cannot read " + directory + ": " + e.getMessage(), e);
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
