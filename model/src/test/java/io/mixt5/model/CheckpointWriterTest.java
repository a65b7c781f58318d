package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.UserException;
import io.mixt5.model.io.SafetensorsFile;
import io.mixt5.model.io.SafetensorsType;
import io.mixt5.model.io.StrictJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Models as they are written: types, files, names. */
class CheckpointWriterTest {
    @TempDir
    private Path directory;
    private final Device device = Device.of("reference");
    private final T5Model model = T5Model.random(MixtureModels.config(mixture -> {}), device, 3);

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F16", "BF16"})
    void halvesAreTheWeightsRoundedAndSayWhatTheyAre(DType type) {
        model.save(directory, SaveOptions.DEFAULT.withType(type));
        ObjectNode config = StrictJson.readObject(directory.resolve("config.json"));
        assertEquals(type == DType.F16 ? "float16" : "bfloat16", config.path("dtype").asText());
        try (SafetensorsFile file = SafetensorsFile.open(directory.resolve("model.safetensors"));
                T5Model loaded = T5Model.load(directory, device)) {
            assertEquals(SafetensorsType.valueOf(type.name()), file.info("shared.weight").type());
            double bits = type == DType.F16 ? 11 : 8;
            for (Parameter parameter : model.parameters().all()) {
                float[] exact = parameter.value().toFloats();
                float[] rounded = loaded.parameters().get(parameter.name()).value().toFloats();
                for (int i = 0; i < exact.length; i++) {
                    // Half a unit in the last place; F16's are of one size below 2^-14.
                    double most = Math.max(Math.abs(exact[i]), Math.pow(2, -14)) * Math.pow(2, -bits);
                    assertEquals(exact[i], rounded[i], most, parameter.name());
                }
            }
        }
    }

    @Test
    void aWeightBeyondFloat16IsRefusedByItsTensorsName() {
        model.parameters().get("shared.weight").value().set(5, 70_000);
        UserException e = assertThrows(UserException.class,
                () -> model.save(directory, SaveOptions.DEFAULT.withType(DType.F16)));
        assertTrue(e.getMessage().contains("shared.weight holds 70000.0"), e.getMessage());
        model.save(directory, SaveOptions.DEFAULT.withType(DType.BF16));
    }

    @Test
    void shardsHoldTheParametersInTheirOrderAndTheSameBytesEveryTime() throws IOException {
        SaveOptions options = SaveOptions.DEFAULT.withMaxShardBytes(4000);
        model.save(directory.resolve("a"), options);
        model.save(directory.resolve("b"), options);
        List<String> names = new ArrayList<>();
        for (Path file : files(directory.resolve("a"))) {
            assertArrayEquals(Files.readAllBytes(file),
                    Files.readAllBytes(directory.resolve("b").resolve(file.getFileName())));
            if (file.toString().endsWith(".safetensors")) {
                try (SafetensorsFile shard = SafetensorsFile.open(file)) {
                    assertTrue(shard.names().stream().mapToLong(n -> shard.info(n).data().byteSize()).sum() <= 4000);
                    names.addAll(shard.names());
                }
            }
        }
        assertEquals(model.parameters().all().stream().map(Parameter::name).toList(), names);
        ObjectNode index = StrictJson.readObject(directory.resolve("a/model.safetensors.index.json"));
        assertEquals(4 * model.parameters().count(), index.path("metadata").path("total_size").asLong());
        try (T5Model loaded = T5Model.load(directory.resolve("a"), device)) {
            for (Parameter parameter : model.parameters().all()) {
                assertArrayEquals(parameter.value().toFloats(),
                        loaded.parameters().get(parameter.name()).value().toFloats(), parameter.name());
            }
        }
    }

    @Test
    void aMixtureDoesNotCallItselfADenseT5() {
        model.save(directory);
        ObjectNode config = StrictJson.readObject(directory.resolve("config.json"));
        assertEquals("MixT5ForConditionalGeneration", config.path("architectures").path(0).asText());
        try (T5Model dense = T5Model.random(MixtureModels.config(m -> m.activateMoe = false), device, 3)) {
            dense.save(directory);
        }
        config = StrictJson.readObject(directory.resolve("config.json"));
        assertEquals("T5ForConditionalGeneration", config.path("architectures").path(0).asText());
    }

    @Test
    void optionsThatCannotBeAreRefused() {
        assertThrows(UserException.class, () -> SaveOptions.DEFAULT.withMaxShardBytes(0));
        assertThrows(IllegalArgumentException.class, () -> SaveOptions.DEFAULT.withType(DType.F64));
        assertThrows(NullPointerException.class, () -> SaveOptions.DEFAULT.withNaming(null));
    }

    private static List<Path> files(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.sorted().toList();
        }
    }

    @AfterEach
    void leavesNoTensor() {
        model.close();
        assertEquals(0, device.liveTensors());
    }
}
