package io.mixt5.model.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.UserException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShardedWriterTest {
    private static final String FIRST = "model-00001-of-00003.safetensors";
    private static final String SECOND = "model-00002-of-00003.safetensors";
    private static final String THIRD = "model-00003-of-00003.safetensors";

    @TempDir
    private Path directory;

    @Test
    void whatFitsIsOneFileWithoutAnIndex() throws IOException {
        ShardedWriter.write(directory, List.of(tensor("b", 3), tensor("a", 5)), 8);
        assertEquals(List.of("model.safetensors"), files());
        try (SafetensorsFile file = SafetensorsFile.open(directory.resolve("model.safetensors"))) {
            assertEquals(List.of("b", "a"), file.names());
        }
    }

    @Test
    void filesAreFilledInOrderAndALargeTensorHasOneOfItsOwn() throws IOException {
        ShardedWriter.write(directory, List.of(tensor("z", 3), tensor("y", 5), tensor("x", 9), tensor("w", 1)), 8);
        assertEquals(List.of(FIRST, SECOND, THIRD, "model.safetensors.index.json"), files());
        assertEquals(List.of("z", "y"), names(FIRST));
        assertEquals(List.of("x"), names(SECOND));
        assertEquals(List.of("w"), names(THIRD));
        ObjectNode index = StrictJson.readObject(directory.resolve("model.safetensors.index.json"));
        assertEquals(18, index.path("metadata").path("total_size").asLong());
        TreeMap<String, String> places = new TreeMap<>();
        index.path("weight_map").properties().forEach(e -> places.put(e.getKey(), e.getValue().asText()));
        assertEquals(new TreeMap<>(java.util.Map.of("z", FIRST, "y", FIRST, "x", SECOND, "w", THIRD)), places);
        try (SafetensorsFile file = SafetensorsFile.open(directory.resolve(SECOND))) {
            assertArrayEquals("xxxxxxxxx".getBytes(), file.info("x").data().toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @Test
    void nothingOfAnEarlierModelStaysAndNothingElseGoes() throws IOException {
        Files.writeString(directory.resolve("README.md"), "mine");
        Files.writeString(directory.resolve("model-large.safetensors"), "mine");
        ShardedWriter.write(directory, List.of(tensor("a", 4), tensor("b", 4), tensor("c", 4)), 4);
        ShardedWriter.write(directory, List.of(tensor("a", 4), tensor("b", 4), tensor("c", 4)), 8);
        assertEquals(List.of("README.md", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                "model-large.safetensors", "model.safetensors.index.json"), files());
        ShardedWriter.write(directory, List.of(tensor("a", 4)), 8);
        assertEquals(List.of("README.md", "model-large.safetensors", "model.safetensors"), files());
        ShardedWriter.write(directory, List.of(tensor("a", 4), tensor("b", 4), tensor("c", 4)), 4);
        assertEquals(List.of("README.md", FIRST, SECOND, THIRD, "model-large.safetensors",
                "model.safetensors.index.json"), files());
    }

    @Test
    void aTensorsContentIsAskedForInItsTurnAndForgottenAfterwards() {
        List<String> asked = new ArrayList<>();
        List<MemorySegment> given = new ArrayList<>();
        List<WritableTensor> tensors = new ArrayList<>();
        for (String name : List.of("a", "b")) {
            tensors.add(new WritableTensor(name, SafetensorsType.U8, new long[]{4}, arena -> {
                asked.add(name);
                assertFalse(given.stream().anyMatch(segment -> segment.scope().isAlive()), "one at a time");
                given.add(arena.allocate(4));
                return given.getLast();
            }));
        }
        ShardedWriter.write(directory, tensors, 100);
        assertEquals(List.of("a", "b"), asked);
        assertFalse(given.getLast().scope().isAlive());
    }

    @Test
    void aFailureInTheMiddleLeavesNoHalfFile() throws IOException {
        WritableTensor broken = new WritableTensor("b", SafetensorsType.U8, new long[]{4}, arena -> {
            throw new UserException("no such tensor");
        });
        assertThrows(UserException.class,
                () -> ShardedWriter.write(directory, List.of(tensor("a", 4), broken), 100));
        assertTrue(files().isEmpty(), files().toString());
        WritableTensor wrong = new WritableTensor("b", SafetensorsType.U8, new long[]{4}, arena -> arena.allocate(3));
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                () -> ShardedWriter.write(directory, List.of(wrong), 100));
        assertTrue(e.getMessage().contains("tensor b has 3 bytes"), e.getMessage());
        assertThrows(IllegalArgumentException.class,
                () -> ShardedWriter.write(directory, List.of(tensor("a", 4)), 0));
    }

    private static WritableTensor tensor(String name, int bytes) {
        return WritableTensor.of(new SafetensorsTensor(name, SafetensorsType.U8, new long[]{bytes},
                MemorySegment.ofArray(name.repeat(bytes).getBytes())));
    }

    private List<String> names(String file) {
        try (SafetensorsFile opened = SafetensorsFile.open(directory.resolve(file))) {
            return opened.names();
        }
    }

    private List<String> files() throws IOException {
        try (var files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
