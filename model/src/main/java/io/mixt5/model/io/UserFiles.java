package io.mixt5.model.io;

import io.mixt5.engine.UserException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

/** What can be wrong with a file or directory that the user named, each as one sentence. */
public final class UserFiles {
    private UserFiles() {
    }

    /**
     * Checks that {@code file} is there, is a file and may be read.
     *
     * @throws UserException if not
     */
    public static void requireFile(Path file) {
        if (!Files.exists(file)) {
            throw new UserException("there is no file " + file);
        }
        if (Files.isDirectory(file)) {
            throw new UserException(file + " is a directory, but a file is needed here");
        }
        if (!Files.isReadable(file)) {
            throw new UserException("cannot read " + file + ": permission denied");
        }
    }

    /**
     * Checks that there is a file or a directory {@code path}.
     *
     * @throws UserException if not
     */
    public static void requirePath(Path path) {
        if (!Files.exists(path)) {
            throw new UserException("there is no file or directory " + path);
        }
    }

    /**
     * Checks that {@code directory} is there and is a directory.
     *
     * @throws UserException if not
     */
    public static void requireDirectory(Path directory) {
        if (!Files.exists(directory)) {
            throw new UserException("there is no directory " + directory);
        }
        if (!Files.isDirectory(directory)) {
            throw new UserException(directory + " is a file, but a directory is needed here");
        }
    }

    /**
     * Makes {@code directory}, with its parents, unless it is there, and proves by writing a file that it can be
     * written, so that a long run does not fail at its first checkpoint.
     *
     * @throws UserException if not
     */
    public static void requireWritableDirectory(Path directory) {
        try {
            Files.createDirectories(directory);
            Files.delete(Files.createTempFile(directory, ".write-test", ".tmp"));
        } catch (IOException e) {
            throw cannotWrite(directory, e);
        }
    }

    /** The sentence for a failure to read {@code file}. */
    public static UserException cannotRead(Path file, IOException e) {
        return new UserException("cannot read " + file + ": " + reason(e), e);
    }

    /** The sentence for a failure to write {@code file}, which may be a directory. */
    public static UserException cannotWrite(Path file, IOException e) {
        return new UserException("cannot write " + file + ": " + reason(e), e);
    }

    private static String reason(IOException e) {
        return switch (e) {
            case NoSuchFileException missing -> "there is no " + missing.getFile();
            case AccessDeniedException denied -> "permission denied";
            case NotDirectoryException file -> file.getFile() + " is not a directory";
            case FileAlreadyExistsException file -> file.getFile() + " is a file, not a directory";
            case FileSystemException other when other.getReason() != null -> other.getReason();
            case IOException other when other.getMessage() != null -> other.getMessage();
            default -> e.getClass().getSimpleName();
        };
    }
}
