package io.mixt5.train.run;

import io.mixt5.engine.UserException;
import io.mixt5.model.io.UserFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The checkpoints in a run's directory: {@code checkpoint-<step>}, each whole, as {@link WholeDirectory} writes them. */
final class Checkpoints {
    private static final Pattern NAME = Pattern.compile("checkpoint-(\\d{1,9})");
    private static final String DAMAGED = ".damaged";

    private final Path root;

    /** Those in {@code root}, which is there; finishes what an interrupted run had begun to write or remove. */
    Checkpoints(Path root) {
        this.root = root;
        WholeDirectory.finishAll(root);
    }

    /** The place of the checkpoint after {@code step} updates. */
    Path at(int step) {
        return root.resolve("checkpoint-" + step);
    }

    /** Those that are there, by their step. */
    SortedMap<Integer, Path> all() {
        SortedMap<Integer, Path> found = new TreeMap<>();
        try (var entries = Files.list(root)) {
            for (Path entry : entries.filter(Files::isDirectory).toList()) {
                Matcher name = NAME.matcher(entry.getFileName().toString());
                if (name.matches()) {
                    found.put(Integer.parseInt(name.group(1)), entry);
                }
            }
        } catch (IOException e) {
            throw UserFiles.cannotRead(root, e);
        }
        return found;
    }

    /** The one of the most updates; null when there is none. */
    Path newest() {
        SortedMap<Integer, Path> all = all();
        return all.isEmpty() ? null : all.get(all.lastKey());
    }

    /**
     * The newest one whose files are as they were written; null when there is none at all. Newer ones that are damaged are
     * renamed, so that they do not count any more.
     *
     * @param warnings told of each that is damaged
     * @throws UserException when there are some and all are damaged
     */
    Path newestWhole(Consumer<String> warnings) {
        Map<Path, String> damaged = new LinkedHashMap<>();
        for (Path checkpoint : all().reversed().values()) {
            String damage = Checksums.damage(checkpoint);
            if (damage == null) {
                damaged.forEach(
                        (path, fault) -> warnings.accept(setAside(path, fault) + "; going on from " + checkpoint));
                return checkpoint;
            }
            damaged.put(checkpoint, damage);
        }
        if (!damaged.isEmpty()) {
            Map.Entry<Path, String> newest = damaged.entrySet().iterator().next();
            throw new UserException("no checkpoint in " + root + " is whole: of " + newest.getKey() + ", "
                    + newest.getValue() + "; bring one back from a copy, or start anew with resume: never");
        }
        return null;
    }

    private static String setAside(Path checkpoint, String damage) {
        Path aside = checkpoint.resolveSibling(checkpoint.getFileName() + DAMAGED);
        WholeDirectory.delete(aside);
        try {
            Files.move(checkpoint, aside, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UserException(checkpoint + " is damaged, as " + damage + ", and cannot be renamed (" + e
                    + "); remove it by hand", e);
        }
        return checkpoint + " is damaged, as " + damage + ", and is now called " + aside.getFileName();
    }

    /**
     * Removes all but the {@code keep} newest.
     *
     * @throws UserException when one cannot be removed
     */
    void prune(int keep) {
        SortedMap<Integer, Path> all = all();
        while (all.size() > keep) {
            WholeDirectory.delete(all.remove(all.firstKey()));
        }
    }
}
