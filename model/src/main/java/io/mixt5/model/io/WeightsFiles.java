package io.mixt5.model.io;

import io.mixt5.engine.UserException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The files that may hold the weights of a Hugging Face directory, and which of them to take. */
public final class WeightsFiles {
    /** A file's name in the directory and how to open it. */
    private record Kind(String name, Function<Path, TensorSource> opener) {
    }

    /** The first that is there is taken: what transformers prefers too, and the safest and fastest to read first. */
    private static final List<Kind> KINDS = List.of(
            new Kind("model.safetensors", SafetensorsFile::open),
            new Kind("model.safetensors.index.json", index -> ShardedTensors.open(index, SafetensorsFile::open)),
            new Kind("pytorch_model.bin", TorchFile::open),
            new Kind("pytorch_model.bin.index.json", index -> ShardedTensors.open(index, TorchFile::open)));

    private WeightsFiles() {
    }

    /**
     * Opens the weights in {@code directory}. The caller closes them.
     *
     * @throws UserException if there are none, or they are wrong in any way that shows without reading the elements
     */
    public static TensorSource open(Path directory) {
        for (Kind kind : KINDS) {
            Path file = directory.resolve(kind.name);
            if (Files.exists(file)) {
                return kind.opener.apply(file);
            }
        }
        throw new UserException("there are no weights in " + directory + ": it needs one of "
                + KINDS.stream().map(Kind::name).collect(Collectors.joining(", ")));
    }
}
