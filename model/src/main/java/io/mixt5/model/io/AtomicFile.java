package io.mixt5.model.io;

import io.mixt5.engine.UserException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Writes a file whole or not at all.
 *
 * <p>The content goes to {@code <name>.tmp} in the same directory, is forced to the disk and renamed over the target
 * in one step: whoever reads the target sees the old content or the new, after a crash too. A failure removes the
 * {@code .tmp} file; what a killed process left there is overwritten by the next write.
 */
public final class AtomicFile {
    /** Writes the content of one file. */
    @FunctionalInterface
    public interface Content {
        /** Writes to {@code channel}, which is at the start of an empty file and is closed by the caller. */
        void writeTo(FileChannel channel) throws IOException;
    }

    private AtomicFile() {
    }

    /**
     * Writes {@code content} to {@code target}, which it replaces. The directory must exist.
     *
     * @throws UserException if the file cannot be written; {@code target} is then as it was
     */
    public static void write(Path target, Content content) {
        Path absolute = target.toAbsolutePath();
        if (Files.isDirectory(absolute)) {
            throw new UserException("cannot write " + target + ": it is a directory");
        }
        Path aside = absolute.resolveSibling(absolute.getFileName() + ".tmp");
        boolean done = false;
        try {
            try (FileChannel channel = FileChannel.open(aside, StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                content.writeTo(channel);
                channel.force(true);
            }
            Files.move(aside, absolute, StandardCopyOption.ATOMIC_MOVE);
            done = true;
        } catch (IOException e) {
            throw UserFiles.cannotWrite(target, e);
        } finally {
            if (!done) {
                delete(aside);
            }
        }
        forceDirectory(absolute.getParent());
    }

    private static void delete(Path aside) {
        try {
            Files.deleteIfExists(aside);
        } catch (IOException e) {
            // The failure that led here is the one to report.
        }
    }

    /** Forces a file that has been written to the disk. */
    public static void force(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }

    /** Makes renames in a directory last, where the system lets a directory be opened. */
    public static void forceDirectory(Path directory) {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            // Windows opens no directory; its file system orders the rename by itself.
        }
    }
}
