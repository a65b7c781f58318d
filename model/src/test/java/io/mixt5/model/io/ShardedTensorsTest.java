package io.mixt5.model.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.UserException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ShardedTensorsTest {
    @TempDir
    private Path directory;
    private Path index;

    @BeforeEach
    void writeShards() {
        index = directory.resolve("model.safetensors.index.json");
        write("one.safetensors", "a", "b");
        write("two.safetensors", "c");
    }

    @Test
    void findsEachTensorInItsShard() throws IOException {
        map("'a':'one.safetensors','c':'two.safetensors','b':'one.safetensors'");
        try (TensorSource source = open()) {
            assertEquals(List.of("a", "c", "b"), source.names());
            assertEquals(directory.resolve("two.safetensors"), source.tensor("c").file());
            assertEquals(Files.size(directory.resolve("one.safetensors"))
                    + Files.size(directory.resolve("two.safetensors")), source.bytes());
            assertEquals("there is no tensor 'aa' in " + index + ", the nearest is 'a'",
                    assertThrows(UserException.class, () -> source.tensor("aa")).getMessage());
        }
    }

    /** What the map holds, quotes being single; what is wrong with it. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "'a':'one.safetensors','b':'one.safetensors' , 'd':'two.safetensors' "
                    + "| looks for the tensor 'd' in two.safetensors, which does not hold it",
            "'a':'two.safetensors' | looks for the tensor 'a' in two.safetensors, which does not hold it",
            "'a':'three.safetensors' "
                    + "| looks for the tensor 'a' in three.safetensors, which is missing; fetch that file too",
            "'a':'one.safetensors','c':'two.safetensors' | does not list the tensor 'b' that one.safetensors holds",
            "'a':7 | has in 'weight_map' no name of a file for the tensor 'a'",
            "'a':{} | has in 'weight_map' no name of a file for the tensor 'a'",
            " | has no 'weight_map' that says which file holds which tensor"})
    void refuses(String map, String message) throws IOException {
        map(map == null ? "" : map);
        assertMessage(message);
    }

    @Test
    void refusesATensorInTwoShards() throws IOException {
        write("two.safetensors", "c", "a");
        map("'a':'one.safetensors','b':'one.safetensors','c':'two.safetensors'");
        assertMessage("looks for the tensor 'a' in one.safetensors, but two.safetensors holds it too");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../one.safetensors", "/etc/passwd", "..", ".", "", "sub/one.safetensors",
            "..\\\\one.safetensors", "C:one.safetensors", "one.safetensors\\u0000", "one\\ud800.safetensors",
            "one.safetensors\\n"})
    void refusesNamesThatLeadOut(String name) throws IOException {
        Path outside = directory.resolve("one.safetensors");
        directory = Files.createDirectory(directory.resolve("model"));
        Files.createDirectory(directory.resolve("sub"));
        Files.copy(outside, directory.resolve("sub/one.safetensors"));
        index = directory.resolve("model.safetensors.index.json");
        map("'a':'" + name + "'");
        String message = assertThrows(UserException.class, this::open).getMessage();
        assertTrue(message.endsWith("', which is no plain name of a file in its own directory"), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "{'weight_map':[]}", "{'weight_map':{'a':'one.safetensors','a':'one.safetensors'}}",
            "{'weight_map':{'a':'one.safetensors'}", "{} {}", "", "{'metadata':{}}"})
    void refusesWhatIsNoIndex(String json) throws IOException {
        Files.writeString(index, json.replace('\'', '"'));
        String message = assertThrows(UserException.class, this::open).getMessage();
        assertTrue(message.contains(index.toString()), message);
    }

    private TensorSource open() {
        return ShardedTensors.open(index, SafetensorsFile::open);
    }

    private void map(String entries) throws IOException {
        Files.writeString(index, ("{'metadata':{'total_size':3},'weight_map':{" + entries + "}}").replace('\'', '"'));
    }

    private void write(String name, String... tensors) {
        SafetensorsWriter.write(directory.resolve(name), Arrays.stream(tensors)
                .map(tensor -> new SafetensorsTensor(tensor, SafetensorsType.U8, new long[]{1},
                        MemorySegment.ofArray(new byte[1])))
                .toList());
    }

    private void assertMessage(String message) {
        assertEquals(index + " " + message, assertThrows(UserException.class, this::open).getMessage());
    }
}
