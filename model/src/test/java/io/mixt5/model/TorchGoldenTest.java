package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.Device;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Models whose weights PyTorch wrote, in each of its forms, give the golden numbers of the same weights in safetensors. */
class TorchGoldenTest {
    @TempDir
    Path directory;
    private final Device device = Device.of("reference");

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "tiny-t5-v1_1 | pytorch_model.bin",
            "tiny-t5-v1_0 | pytorch_model.bin",
            "tiny-switch-tied | pytorch_model.bin",
            "tiny-switch-untied | model.safetensors.index.json,model-00001-of-00003.safetensors,"
                    + "model-00002-of-00003.safetensors,model-00003-of-00003.safetensors",
            "tiny-moe-top1 | pytorch_model.bin.index.json,pytorch_model-00001-of-00003.bin,"
                    + "pytorch_model-00002-of-00003.bin,pytorch_model-00003-of-00003.bin"})
    void lossLogitsAndGradientsEqualPyTorchs(String name, String files) throws IOException {
        goldens(name, files).checkPass(device);
    }

    @Test
    void greedyIdsOfAnUnpickledModelEqualTransformers() throws IOException {
        goldens("tiny-t5-v1_1", "pytorch_model.bin").checkGreedy(device);
    }

    /** transformers saves the embedding of such a model four times over one storage, once as the head. */
    @Test
    void aHeadThatSharesTheEmbeddingsStorageIsTied() throws IOException {
        try (T5Model model = T5Model.load(goldens("tiny-t5-v1_0", "pytorch_model.bin").directory(), device)) {
            assertTrue(model.config().tieWordEmbeddings);
            assertNull(model.parameters().get("lm_head.weight"));
        }
    }

    @Test
    void safetensorsGoBeforeAPickle() throws IOException {
        ModelGoldens goldens = goldens("tiny-t5-v1_1", "pytorch_model.bin");
        Files.writeString(goldens.directory().resolve("pytorch_model.bin"), "never opened");
        try (InputStream safe = getClass().getResourceAsStream("/golden/tiny-t5-v1_1/model.safetensors")) {
            Files.copy(safe, goldens.directory().resolve("model.safetensors"));
        }
        goldens.checkPass(device);
    }

    /** The goldens of that name with these files in the place of model.safetensors. */
    private ModelGoldens goldens(String name, String files) throws IOException {
        ModelGoldens goldens = ModelGoldens.ofProject(name, directory);
        Files.delete(goldens.directory().resolve("model.safetensors"));
        for (String file : List.of(files.split(","))) {
            try (InputStream resource = getClass().getResourceAsStream("/torch/" + name + "/" + file)) {
                Files.copy(resource, goldens.directory().resolve(file));
            }
        }
        return goldens;
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
