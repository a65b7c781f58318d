package io.mixt5.model.io;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Writes a model's tensors as Hugging Face lays them out: {@code model.safetensors}, or, where that would be too large,
 * {@code model-00001-of-0000N.safetensors} and so on with {@code model.safetensors.index.json}, which says in which of
 * them a tensor is and how many bytes all take.
 *
 * <p>Tensors keep their order; a file is full when the next tensor would make its data larger than allowed. A tensor that
 * is larger by itself gets a file of its own. Equal tensors give equal bytes.
 */
public final class ShardedWriter {
    /** The file of a model that fits in one. */
    public static final String SINGLE = "model.safetensors";
    /** What says where the tensors of a model are that does not. */
    public static final String INDEX = "model.safetensors.index.json";

    private static final Pattern SHARD = Pattern.compile("model-\\d{5}-of-\\d{5}\\.safetensors");

    private ShardedWriter() {
    }

    /**
     * Writes {@code tensors} into {@code directory}, which must be there, and removes what an earlier model left under
     * these names. Files are replaced one by one: whoever needs them replaced together writes a directory aside and
     * renames it.
     *
     * @param maxBytes most bytes of tensors in a file, at least 1
     * @throws UserException if a file cannot be written
     * @throws IllegalArgumentException if a tensor's name or content cannot be, as {@link SafetensorsWriter} says
     */
    public static void write(Path directory, List<WritableTensor> tensors, long maxBytes) {
        List<List<WritableTensor>> shards = split(tensors, maxBytes);
        Set<String> written = new HashSet<>();
        if (shards.size() == 1) {
            SafetensorsWriter.writeEach(directory.resolve(SINGLE), tensors);
            written.add(SINGLE);
        } else {
            TreeMap<String, String> places = new TreeMap<>();
            for (int i = 0; i < shards.size(); i++) {
                String file = "model-%05d-of-%05d.safetensors".formatted(i + 1, shards.size());
                SafetensorsWriter.writeEach(directory.resolve(file), shards.get(i));
                shards.get(i).forEach(tensor -> places.put(tensor.name(), file));
                written.add(file);
            }
            StrictJson.write(directory.resolve(INDEX), index(tensors, places));
            written.add(INDEX);
        }
        removeOthers(directory, written);
    }

    private static List<List<WritableTensor>> split(List<WritableTensor> tensors, long maxBytes) {
        if (maxBytes < 1) {
            throw new IllegalArgumentException("a file holds at least 1 byte, not " + maxBytes);
        }
        List<List<WritableTensor>> shards = new ArrayList<>();
        long used = 0;
        for (WritableTensor tensor : tensors) {
            if (shards.isEmpty() || used + tensor.bytes() > maxBytes) {
                shards.add(new ArrayList<>());
                used = 0;
            }
            shards.getLast().add(tensor);
            used += tensor.bytes();
        }
        return shards.isEmpty() ? List.of(List.of()) : shards;
    }

    private static ObjectNode index(List<WritableTensor> tensors, TreeMap<String, String> places) {
        ObjectNode index = JsonNodeFactory.instance.objectNode();
        index.putObject("metadata").put("total_size", tensors.stream().mapToLong(WritableTensor::bytes).sum());
        ObjectNode map = index.putObject("weight_map");
        places.forEach(map::put);
        return index;
    }

    private static void removeOthers(Path directory, Set<String> written) {
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                boolean weights = name.equals(SINGLE) || name.equals(INDEX) || SHARD.matcher(name).matches();
                if (weights && !written.contains(name)) {
                    Files.delete(file);
                }
            }
        } catch (IOException e) {
            throw UserFiles.cannotWrite(directory, e);
        }
    }
}
