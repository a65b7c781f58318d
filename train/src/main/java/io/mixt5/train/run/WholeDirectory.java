package io.mixt5.train.run;

import io.mixt5.engine.UserException;
import io.mixt5.model.io.AtomicFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.function.Consumer;

/**
 * Directories that are there whole or not at all: written aside, forced to the disk and then renamed, so that whoever reads
 * one sees the old content or the new, after a crash and a loss of power too.
 */
public final class WholeDirectory {
    private static final String NEW = ".new";
    private static final String OLD = ".old";

    private WholeDirectory() {
    }

    /**
     * Writes {@code target} anew, by {@code content} into a directory beside it that takes its place when all is there.
     *
     * @throws UserException when it cannot be written; the target is then as it was, and nothing lies beside it
     */
    public static void replace(Path target, Consumer<Path> content) {
        Path fresh = sibling(target, NEW);
        boolean done = false;
        try {
            deleteTree(fresh);
            Files.createDirectories(fresh);
            content.accept(fresh);
            force(fresh);
            exchange(fresh, target);
            done = true;
        } catch (IOException | UncheckedIOException e) {
            throw new UserException(target + " cannot be written (" + e + "); free space or choose another place", e);
        } finally {
            if (!done) {
                deleteIfPossible(fresh);
            }
        }
    }

    private static void exchange(Path fresh, Path target) throws IOException {
        Path old = sibling(target, OLD);
        finishReplacing(target);
        boolean replaces = Files.exists(target);
        if (replaces) {
            Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
        }
        try {
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            if (replaces) {
                Files.move(old, target, StandardCopyOption.ATOMIC_MOVE);
            }
            throw e;
        }
        AtomicFile.forceDirectory(target.toAbsolutePath().getParent());
        // The new content is in place, and finishReplacing deletes what may stay of the old.
        deleteIfPossible(old);
    }

    /**
     * Brings back a directory whose replacement was interrupted between the two renames, and removes what any interrupted
     * replacement or removal has left.
     *
     * @throws UserException when that cannot be done
     */
    static void finishReplacing(Path target) {
        Path old = sibling(target, OLD);
        try {
            if (Files.exists(old) && !Files.exists(target)) {
                Files.move(old, target, StandardCopyOption.ATOMIC_MOVE);
            }
            deleteTree(old);
        } catch (IOException e) {
            throw new UserException(old + " cannot be renamed or removed (" + e + "); do it by hand", e);
        }
    }

    /**
     * {@link #finishReplacing} for all directories in {@code parent}, and removes what was only begun.
     *
     * @throws UserException when that cannot be done
     */
    static void finishAll(Path parent) {
        List<Path> left;
        try (var entries = Files.list(parent)) {
            left = entries.filter(entry -> entry.getFileName().toString().startsWith(".")).toList();
        } catch (IOException e) {
            throw new UserException(parent + " cannot be read (" + e + "); choose another place", e);
        }
        for (Path entry : left) {
            String name = entry.getFileName().toString();
            if (name.endsWith(OLD)) {
                finishReplacing(parent.resolve(name.substring(1, name.length() - OLD.length())));
            } else if (name.endsWith(NEW)) {
                removed(entry, entry);
            }
        }
    }

    /** Removes a directory and what an interrupted replacement left beside it; it need not be there. */
    static void delete(Path target) {
        // Set aside as something that is only begun, so that no half of it is ever taken for the whole.
        Path half = sibling(target, NEW);
        removed(half, target);
        removed(sibling(target, OLD), target);
        try {
            if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
                Files.move(target, half, StandardCopyOption.ATOMIC_MOVE);
                deleteTree(half);
            }
        } catch (IOException e) {
            throw new UserException(target + " cannot be removed (" + e + "); choose another save_dir", e);
        }
    }

    private static void removed(Path tree, Path target) {
        try {
            deleteTree(tree);
        } catch (IOException e) {
            throw new UserException(target + " cannot be removed (" + e + "); choose another save_dir", e);
        }
    }

    private static Path sibling(Path path, String suffix) {
        return path.resolveSibling("." + path.getFileName() + suffix);
    }

    /** Forces all files of a tree to the disk, and the directories that hold their names. */
    private static void force(Path directory) throws IOException {
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                AtomicFile.force(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path inner, IOException e) {
                AtomicFile.forceDirectory(inner);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private static void deleteIfPossible(Path directory) {
        try {
            deleteTree(directory);
        } catch (IOException e) {
            // What stays is removed when the directory is next written or its parent next used.
            return;
        }
    }

    private static void deleteTree(Path directory) throws IOException {
        if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path inner, IOException e) throws IOException {
                if (e != null) {
                    throw e;
                }
                Files.delete(inner);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
