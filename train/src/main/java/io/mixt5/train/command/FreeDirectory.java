package io.mixt5.train.command;

import io.mixt5.engine.UserException;
import io.mixt5.model.io.UserFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where a command writes a model: a place that holds nothing yet, so that nobody's model is overwritten. */
final class FreeDirectory {
    private FreeDirectory() {
    }

    /**
     * Checks that {@code to} is not there, or empty, and can be written.
     *
     * @throws UserException that names the option {@code --to} if not
     */
    static void require(Path to) {
        Path parent = to.toAbsolutePath().getParent();
        UserFiles.requireWritableDirectory(parent == null ? to : parent);
        if (!Files.exists(to)) {
            return;
        }
        UserFiles.requireDirectory(to);
        try (var files = Files.list(to)) {
            if (files.findAny().isPresent()) {
                throw new UserException("--to " + to + " is not empty; name a directory that is not there yet");
            }
        } catch (IOException e) {
            throw UserFiles.cannotRead(to, e);
        }
    }
}
