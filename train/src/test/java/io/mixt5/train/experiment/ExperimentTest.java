package io.mixt5.train.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.UserException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExperimentTest {
    private static final String MOE = "'enable_moe': true, 'noise_lambda': 0, 'moe_config': {'num_moe_layers': 1}";

    @TempDir
    private Path directory;

    @Test
    void laysObjectsOverOneAnother() throws IOException {
        ObjectNode under = json("{'a': 1, 'b': {'c': 2, 'd': [1, 2]}, 'e': 5, 'f': {'g': 1}}");
        ObjectNode over = json("{'a': 7, 'b': {'d': [3]}, 'e': null, 'f': 'text', 'h': {'i': 0}}");
        assertEquals(json("{'a': 7, 'b': {'c': 2, 'd': [3]}, 'f': 'text', 'h': {'i': 0}}"),
                Experiment.merged(under, over));
        assertEquals(5, under.get("e").intValue(), "what is below stays as it was");
    }

    @Test
    void comparesSettingsByValue() throws IOException {
        assertTrue(Settings.same(json("{'a': 0, 'b': {'c': 1}}"), json("{'b': {'c': 1.0}, 'a': 0.0}")));
        assertFalse(Settings.same(json("{'a': 0}"), json("{'a': false}")));
        assertFalse(Settings.same(json("{'a': 0}"), json("{}")));
        assertFalse(Settings.same(null, json("{}")));
    }

    @Test
    void crossesTheGridAndRunsNothingTwice() throws IOException {
        Experiment experiment = read("'variants': {'plain': {}, 'Mixture of 2': {" + MOE + "}}, "
                + "'grid': {'of': 'Mixture of 2', 'num_moe_layers': [0, 1], 'noise_lambda': [0, 0.5]}");
        assertEquals("[plain, Mixture of 2, num_moe_layers=0 noise_lambda=0.0, num_moe_layers=0 noise_lambda=0.5, "
                + "num_moe_layers=1 noise_lambda=0.5]",
                experiment.variants().stream().map(Experiment.Variant::name).toList().toString());
        assertEquals("mixture-of-2", experiment.variants().get(1).directory());
        assertEquals("num_moe_layers=1-noise_lambda=0.5", experiment.variants().get(4).directory());
        assertEquals(
                json("{'max_steps': 3, 'enable_moe': true, 'noise_lambda': 0.5, 'moe_config': {'num_moe_layers': 1}}"),
                experiment.variants().get(4).settings());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "'variants': {} | 'variants' in FILE must name at least one",
            "'x': 1 | FILE",
            "'seeds': [1, 1], 'variants': {'a': {}} | different numbers, found [1, 1]",
            "'seeds': [], 'variants': {'a': {}} | different numbers",
            "'variants': {'a': {'seed': 1}} | 'variants.a.seed'",
            "'variants': {'a': {'train': 1}} | 'variants.a.train' in FILE must be true or false",
            "'pretrain': {'save_dir': 'x'}, 'variants': {'a': {}} | 'pretrain.save_dir'",
            "'pretrain': {'train': false}, 'variants': {'a': {}} | 'pretrain.train'",
            "'variants': {'a b': {}, 'A-B': {}} | would share the directory a-b",
            "'variants': {'Pretrain': {}} | would share the directory pretrain",
            "'variants': {'a': {}}, 'grid': {'of': 'b', 'num_moe_layers': [1], 'noise_lambda': [0]} | found 'b'",
            "'variants': {'a': {}}, 'grid': {'of': 'a', 'num_moe_layers': [1], 'noise_lambda': [0]} | have enable_moe",
            "'variants': {'a': {}}, 'grid': {'of': 'a', 'num_moe_layers': [1]} | 'grid.noise_lambda' is missing"})
    void refusesInOneSentence(String keys, String message) {
        UserException e = assertThrows(UserException.class, () -> read(keys));
        assertTrue(e.getMessage().contains(message.replace("FILE", directory.resolve("e.json").toString())),
                e.getMessage());
    }

    private Experiment read(String keys) throws IOException {
        String seeds = keys.contains("'seeds'") ? "" : "'seeds': [1], ";
        Path file = directory.resolve("e.json");
        Files.writeString(file, "{'save_dir': 'x', 'shared': {'max_steps': 3}, %s%s}".formatted(seeds, keys)
                .replace('\'', '"'));
        return Experiment.read(file);
    }

    private static ObjectNode json(String text) throws IOException {
        return (ObjectNode) new ObjectMapper().readTree(text.replace('\'', '"'));
    }
}
