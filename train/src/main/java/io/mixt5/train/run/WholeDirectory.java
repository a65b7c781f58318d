package io.mixt5.train.run;

import io.mixt5.engine.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.function.Consumer;

/** Directories that are there whole or not at all: written aside and then renamed. */
public final class WholeDirectory {
    private WholeDirectory() {
    }

    /**
     * Writes {@code target} anew, by {@code content} into a directory beside it that takes its place when all is there.
     *
     * @throws UserException when it cannot be written
     */
    public static void replace(Path target, Consumer<Path> content) {
        Path fresh = sibling(target, ".new");
        Path old = sibling(target, ".old");
        try {
            deleteTree(fresh);
            Files.createDirectories(fresh);
            content.accept(fresh);
            finishReplacing(target);
            if (Files.exists(target)) {
                Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
            }
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
            deleteTree(old);
        } catch (IOException e) {
            throw new UserException(target + " cannot be written (" + e + "); free space or choose another place", e);
        }
    }

    /** Brings back a directory whose replacement was interrupted between the two renames. */
    static void finishReplacing(Path target) {
        Path old = sibling(target, ".old");
        try {
            if (Files.exists(old) && !Files.exists(target)) {
                Files.move(old, target, StandardCopyOption.ATOMIC_MOVE);
            }
            deleteTree(old);
        } catch (IOException e) {
            throw new UserException(old + " cannot be renamed (" + e + "); rename it by hand", e);
        }
    }

    /** Removes a directory and what an interrupted replacement left beside it; it need not be there. */
    static void delete(Path target) {
        try {
            deleteTree(target);
            deleteTree(sibling(target, ".old"));
            deleteTree(sibling(target, ".new"));
        } catch (IOException e) {
            throw new UserException(target + " cannot be removed (" + e + "); choose another save_dir", e);
        }
    }

    private static Path sibling(Path path, String suffix) {
        return path.resolveSibling("." + path.getFileName() + suffix);
    }

    private static void deleteTree(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        try (var files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
