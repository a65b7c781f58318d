package io.mixt5.model.io;

import io.mixt5.engine.UserException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Tensors by name, in a file of some format or in several.
 *
 * <p>Opening one reads what describes the tensors and checks it; their elements stay on the disk until they are asked
 * for. Safe for use by several threads.
 */
public interface TensorSource extends AutoCloseable {
    /** What to call it in a message: the file, of several the one that lists them. */
    Path path();

    /** The names of the tensors, in the order of the file. */
    List<String> names();

    /** The tensor {@code name}, if there is one. */
    Optional<StoredTensor> find(String name);

    /** Size of all its files together, in bytes. */
    long bytes();

    /**
     * The tensor {@code name}.
     *
     * @throws UserException if there is none, with the nearest name that there is
     */
    default StoredTensor tensor(String name) {
        return find(name).orElseThrow(() -> {
            String hint = NearestWord.of(name, names()).map(near -> ", the nearest is '" + near + "'").orElse("");
            return new UserException("there is no tensor '" + name + "' in " + path() + hint);
        });
    }

    /** Closes its files; reading a tensor afterwards fails. */
    @Override
    void close();
}
