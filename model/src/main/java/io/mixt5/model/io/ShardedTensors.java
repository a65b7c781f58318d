package io.mixt5.model.io;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.mixt5.engine.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Tensors in several files beside an index, {@code {"metadata": {...}, "weight_map": {"<tensor>": "<file>", ...}}}, as
 * transformers writes them.
 *
 * <p>A shard must be a file in the index's own directory, hold every tensor that the index looks for in it, and no
 * others.
 */
final class ShardedTensors implements TensorSource {
    private static final String MAP = "weight_map";
    /** Values, keys and brackets: enough for 400,000 tensors; the largest Switch Transformer has 120,000. */
    private static final long MAX_TOKENS = 1_000_000;

    private final Path index;
    private final Function<Path, TensorSource> opener;
    /** By name of the file. */
    private final Map<String, TensorSource> shards = new LinkedHashMap<>();
    /** By name of the tensor. */
    private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();

    private ShardedTensors(Path index, Function<Path, TensorSource> opener) {
        this.index = index;
        this.opener = opener;
    }

    /**
     * Opens the shards that {@code index} lists, each by {@code opener}.
     *
     * @throws UserException if anything is wrong with the index or a shard
     */
    static ShardedTensors open(Path index, Function<Path, TensorSource> opener) {
        ShardedTensors sharded = new ShardedTensors(index, opener);
        try {
            sharded.readIndex();
            sharded.refuseUnlisted();
            return sharded;
        } catch (RuntimeException e) {
            sharded.close();
            throw e;
        }
    }

    private void readIndex() {
        try (JsonParser json = StrictJson.parser(index, MAX_TOKENS)) {
            require(json.nextToken() == JsonToken.START_OBJECT, "must hold a JSON object");
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                boolean map = json.currentName().equals(MAP);
                json.nextToken();
                if (map) {
                    readMap(json);
                } else {
                    json.skipChildren();
                }
            }
            require(json.nextToken() == null, "goes on after the end of its JSON");
        } catch (IOException e) {
            throw JsonErrors.reading(index, e);
        }
        require(!tensors.isEmpty(), "has no '" + MAP + "' that says which file holds which tensor");
    }

    /** Looks for each tensor at once, so that there are never more than the shards hold. */
    private void readMap(JsonParser json) throws IOException {
        require(json.hasToken(JsonToken.START_OBJECT), "has a '" + MAP + "' that is no object");
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String tensor = json.currentName();
            require(json.nextToken() == JsonToken.VALUE_STRING,
                    "has in '" + MAP + "' no name of a file for the tensor '" + tensor + "'");
            add(tensor, json.getText());
        }
    }

    private void add(String tensor, String shard) {
        TensorSource source = shards.get(shard);
        if (source == null) {
            source = opener.apply(place(tensor, shard));
            shards.put(shard, source);
        }
        tensors.put(tensor, source.find(tensor).orElseThrow(() -> wrong(
                "looks for the tensor '" + tensor + "' in " + shard + ", which does not hold it")));
    }

    /** The shard's file; nothing that the index says may lead out of its directory. */
    private Path place(String tensor, String shard) {
        boolean plain = !shard.isEmpty() && !shard.equals(".") && !shard.equals("..")
                && shard.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || c < ' ');
        Path file = null;
        try {
            file = plain ? index.resolveSibling(shard) : null;
        } catch (InvalidPathException e) {
            // What this system cannot even name is not plain either.
        }
        require(file != null, "looks for the tensor '" + tensor + "' in '" + shard
                + "', which is no plain name of a file in its own directory");
        require(Files.exists(file), "looks for the tensor '" + tensor + "' in " + shard
                + ", which is missing; fetch that file too");
        return file;
    }

    private void refuseUnlisted() {
        shards.forEach((shard, source) -> source.names().forEach(name -> {
            StoredTensor listed = tensors.get(name);
            require(listed != null, "does not list the tensor '" + name + "' that " + shard + " holds");
            require(listed.file().equals(source.path()), "looks for the tensor '" + name + "' in "
                    + listed.file().getFileName() + ", but " + shard + " holds it too");
        }));
    }

    @Override
    public Path path() {
        return index;
    }

    @Override
    public List<String> names() {
        return List.copyOf(tensors.keySet());
    }

    @Override
    public Optional<StoredTensor> find(String name) {
        return Optional.ofNullable(tensors.get(name));
    }

    @Override
    public long bytes() {
        return shards.values().stream().mapToLong(TensorSource::bytes).sum();
    }

    @Override
    public void close() {
        shards.values().forEach(TensorSource::close);
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) {
            throw wrong(otherwise);
        }
    }

    private UserException wrong(String what) {
        return new UserException(index + " " + what);
    }
}
