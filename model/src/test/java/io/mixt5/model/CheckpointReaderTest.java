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
import io.mixt5.model.io.SafetensorsTensor;
import io.mixt5.model.io.SafetensorsType;
import io.mixt5.model.io.SafetensorsWriter;
import io.mixt5.model.io.StrictJson;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What a directory with a model must hold; the goldens' tests show that its numbers are right. */
class CheckpointReaderTest {
    @TempDir
    private Path temporary;
    private Path directory;
    private Path weights;
    private final Device device = Device.of("reference");

    @BeforeEach
    void copyModel() {
        directory = ModelGoldens.ofProject("tiny-t5-v1_1", temporary).directory();
        weights = directory.resolve("model.safetensors");
    }

    @ParameterizedTest
    @EnumSource(value = SafetensorsType.class, names = {"F64", "F32", "F16", "BF16"})
    void everyFloatTypeIsReadToTheNearestFloat(SafetensorsType type) {
        DType element = DType.valueOf(type.name());
        float[][] expected;
        try (T5Model model = T5Model.load(directory, device)) {
            expected = model.parameters().all().stream().map(p -> rounded(p.value().toFloats(), element))
                    .toArray(float[][]::new);
        }
        rewrite(tensor -> converted(tensor, type));
        try (T5Model model = T5Model.load(directory, device)) {
            int i = 0;
            for (Parameter parameter : model.parameters().all()) {
                assertArrayEquals(expected[i++], parameter.value().toFloats(), parameter.name());
            }
        }
    }

    @Test
    void integersAreNoWeights() {
        rewrite(tensor -> new SafetensorsTensor(tensor.name(), SafetensorsType.I32, tensor.shape(), tensor.data()));
        refused(weights + ": tensor shared.weight has type I32, but weights must be floats");
    }

    /** Whatever the configuration asks for, memory is taken only for what the file holds. */
    @ParameterizedTest
    @CsvSource({"vocab_size, 2000000000", "d_model, 1000000", "d_ff, 2000000000", "num_layers, 2000000000",
            "num_decoder_layers, 2000000000", "num_heads, 2000000000", "d_kv, 2000000000",
            "relative_attention_num_buckets, 120"})
    void aConfigurationCannotAskForMoreThanTheFileHas(String key, int value) throws IOException {
        ObjectNode config = StrictJson.readObject(directory.resolve("config.json"));
        config.put(key, value);
        StrictJson.write(directory.resolve("config.json"), config);
        long before = device.reservedBytes();
        assertThrows(UserException.class, () -> T5Model.load(directory, device));
        assertTrue(device.reservedBytes() - before <= 2 * Files.size(weights));
    }

    @Test
    void saysWhichFilesMayHoldTheWeights() throws IOException {
        Files.delete(weights);
        refused("there are no weights in " + directory + ": it needs one of model.safetensors, "
                + "model.safetensors.index.json, pytorch_model.bin, pytorch_model.bin.index.json");
    }

    @Test
    void aCopyOfTheEmbeddingMustBeEqual() {
        rewrite(tensor -> tensor.name().equals("shared.weight")
                ? new SafetensorsTensor("encoder.embed_tokens.weight", tensor.type(), tensor.shape(), tensor.data())
                : tensor);
        refused("there is no tensor 'shared.weight' in " + weights);
    }

    private void refused(String message) {
        assertEquals(message, assertThrows(UserException.class, () -> T5Model.load(directory, device)).getMessage());
    }

    /** Replaces every tensor of the file. */
    private void rewrite(UnaryOperator<SafetensorsTensor> change) {
        try (SafetensorsFile file = SafetensorsFile.open(weights)) {
            SafetensorsWriter.write(weights,
                    file.names().stream().map(file::info).map(change).toList());
        }
    }

    private static SafetensorsTensor converted(SafetensorsTensor tensor, SafetensorsType type) {
        DType element = DType.valueOf(type.name());
        int count = (int) tensor.data().byteSize() / Float.BYTES;
        MemorySegment data = Arena.ofAuto().allocate((long) count * type.bytes());
        for (int i = 0; i < count; i++) {
            element.store(data.address() + (long) i * type.bytes(),
                    tensor.data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, (long) i * Float.BYTES));
        }
        return new SafetensorsTensor(tensor.name(), type, tensor.shape(), data);
    }

    private static float[] rounded(float[] values, DType type) {
        float[] rounded = values.clone();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment one = arena.allocate(Double.BYTES);
            for (int i = 0; i < rounded.length; i++) {
                type.store(one.address(), values[i]);
                rounded[i] = (float) type.load(one.address());
            }
        }
        return rounded;
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
