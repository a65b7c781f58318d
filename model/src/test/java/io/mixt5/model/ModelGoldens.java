package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.mixt5.engine.Device;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.model.io.SafetensorsFile;
import io.mixt5.model.io.SafetensorsTensor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** A directory of numbers that PyTorch and transformers computed, and the comparison of a model with them. */
public final class ModelGoldens {
    private final Path directory;
    /** {@code golden.json}. */
    public final JsonNode json;

    /** Opens a directory with config.json, model.safetensors, golden.safetensors and golden.json. */
    public ModelGoldens(Path directory) {
        this.directory = directory;
        try {
            json = new ObjectMapper().readTree(directory.resolve("golden.json").toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A copy of goldens under {@code copy} whose config.json has these keys too, given as the inside of a JSON object. */
    public static ModelGoldens copy(Path original, Path copy, String keys) {
        try {
            Files.createDirectories(copy);
            for (String file : List.of("model.safetensors", "golden.safetensors", "golden.json")) {
                Files.copy(original.resolve(file), copy.resolve(file));
            }
            String config = Files.readString(original.resolve("config.json")).strip();
            Files.writeString(copy.resolve("config.json"),
                    config.substring(0, config.length() - 1) + ", " + keys.replace('\'', '"') + "}");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new ModelGoldens(copy);
    }

    /** The goldens of that name that belong to the project, as files under {@code copy}: they may come from a jar. */
    public static ModelGoldens ofProject(String name, Path copy) {
        try {
            Path directory = Files.createDirectories(copy.resolve(name));
            for (String file : List.of("config.json", "model.safetensors", "golden.safetensors", "golden.json")) {
                try (InputStream resource = ModelGoldens.class.getResourceAsStream("/golden/" + name + "/" + file)) {
                    Files.copy(resource, directory.resolve(file));
                }
            }
            return new ModelGoldens(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The directory. */
    public Path directory() {
        return directory;
    }

    /** The encoder's inputs without padding. */
    public List<int[]> sources() {
        try (SafetensorsFile file = SafetensorsFile.open(directory.resolve("golden.safetensors"))) {
            Ragged ragged = Ragged.ofPadded(rows(file.info("input_ids")), rows(file.info("attention_mask")));
            List<int[]> sources = new ArrayList<>();
            for (int b = 0, at = 0; b < ragged.size(); at += ragged.lengths()[b++]) {
                sources.add(Arrays.copyOfRange(ragged.ids(), at, at + ragged.lengths()[b]));
            }
            return sources;
        }
    }

    /** The batch that the numbers belong to. */
    public T5Batch batch(T5Config config) {
        try (SafetensorsFile file = SafetensorsFile.open(directory.resolve("golden.safetensors"))) {
            return T5Batch.of(sources(), List.of(rows(file.info("labels"))), config);
        }
    }

    /** Loss and logits within 1e-5, and every gradient within 1e-4 of its largest element. */
    public void checkPass(Device device) {
        checkPass(device, Precision.FP32, 1e-5, 1e-4);
    }

    /**
     * Loss, states and logits within {@code tolerance} of the largest element, gradients within another: of the largest
     * element in FP32, in the half types of the norm, as a unit near relu's kink has no gradient or a whole one.
     */
    public void checkPass(Device device, Precision precision, double tolerance, double gradientTolerance) {
        try (T5Model model = T5Model.load(directory, device).compute(precision);
                Scope scope = new Scope(device);
                SafetensorsFile file = SafetensorsFile.open(directory.resolve("golden.safetensors"))) {
            T5Batch batch = batch(model.config());
            Tape tape = Tape.recording(scope);
            T5Model.Output output = model.forward(tape, batch);
            assertEquals(json.get("loss").asDouble(), output.loss().toFloats()[0],
                    tolerance * json.get("loss").asDouble(), "loss");
            close("encoder",
                    padded(file.info(file.has("encoder") ? "encoder" : "encoder_last_hidden_state"),
                            batch.source().lengths()),
                    floats(output.encoded()), tolerance);
            close("logits", padded(file.info("logits"), batch.decoderInput().lengths()), floats(output.logits()),
                    tolerance);
            if (precision == Precision.FP32) {
                // Tokens near a tie go elsewhere after rounding.
                checkRouting(output.routing().figures());
            }
            tape.backward(output.loss());
            int compared = 0;
            for (Parameter parameter : model.parameters().all()) {
                float[] expected = file.has("grad." + parameter.name())
                        ? floats(file.info("grad." + parameter.name()))
                        : new float[0];
                compared += expected.length > 0 ? 1 : 0;
                // An expert without tokens has no gradient, here as in PyTorch, or, where PyTorch's got padding, zeros.
                if (idle(parameter.value())) {
                    assertTrue(IntStream.range(0, expected.length).allMatch(i -> expected[i] == 0), parameter.name());
                } else {
                    float[] actual = parameter.value().grad().toFloats();
                    if (precision == Precision.FP32) {
                        close("gradient of " + parameter.name(), expected, actual, gradientTolerance);
                    } else {
                        closeOnTheWhole("gradient of " + parameter.name(), expected, actual, gradientTolerance);
                    }
                }
            }
            assertEquals(file.names().stream().filter(n -> n.startsWith("grad.")).count(), compared);
        }
    }

    /** Whether a weight has no gradient, or one that comes from no row. */
    static boolean idle(Tensor weight) {
        return weight.grad() == null || weight.gradRows() != null && weight.gradRows().toInts()[0] == 0;
    }

    private void checkRouting(List<RoutingFigures> figures) {
        double balance = figures.stream().mapToDouble(RoutingFigures::balance).average().orElse(0);
        if (json.path("aux").asDouble() != 0) {
            assertEquals(json.get("aux").asDouble(), balance, 1e-5, "balance loss");
        }
        for (int i = 0; i < json.path("routing").size(); i++) {
            assertArrayEquals(ints(json.get("routing").get(i).get("counts")), figures.get(i).counts(),
                    figures.get(i).layer());
            assertEquals(json.get("routing").get(i).get("dropped").asInt(), figures.get(i).dropped(),
                    figures.get(i).layer());
        }
    }

    /** The greedy ids, all of them. */
    public void checkGreedy(Device device) {
        try (T5Model model = T5Model.load(directory, device)) {
            JsonNode greedy = json.get("greedy");
            int length = greedy.get(0).size();
            List<int[]> outputs = new Generator(model, length).generate(sources());
            for (int b = 0; b < outputs.size(); b++) {
                int[] row = new int[length];
                System.arraycopy(outputs.get(b), 0, row, 1, outputs.get(b).length);
                assertArrayEquals(ints(greedy.get(b)), row, "row " + b);
            }
        }
    }

    private static int[] ints(JsonNode array) {
        int[] values = new int[array.size()];
        Arrays.setAll(values, i -> array.get(i).asInt());
        return values;
    }

    private static int[][] rows(SafetensorsTensor tensor) {
        int columns = (int) tensor.shape()[1];
        int[][] rows = new int[(int) tensor.shape()[0]][columns];
        for (int i = 0; i < rows.length * columns; i++) {
            rows[i / columns][i % columns] = (int) tensor.data().get(ValueLayout.JAVA_LONG_UNALIGNED, 8L * i);
        }
        return rows;
    }

    private static float[] floats(SafetensorsTensor tensor) {
        float[] values = new float[(int) (tensor.data().byteSize() / 4)];
        for (int i = 0; i < values.length; i++) {
            values[i] = tensor.data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i);
        }
        return values;
    }

    private static float[] floats(Tensor tensor) {
        double[] values = tensor.toDoubles();
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    /** The first lengths[b] rows of each sequence of a padded [B, S, D] tensor. */
    private static float[] padded(SafetensorsTensor tensor, int[] lengths) {
        int columns = (int) tensor.shape()[2];
        int stride = (int) tensor.shape()[1] * columns;
        float[] all = floats(tensor);
        float[] kept = new float[Arrays.stream(lengths).sum() * columns];
        for (int b = 0, at = 0; b < lengths.length; at += lengths[b++] * columns) {
            System.arraycopy(all, b * stride, kept, at, lengths[b] * columns);
        }
        return kept;
    }

    private static void closeOnTheWhole(String what, float[] expected, float[] actual, double tolerance) {
        assertEquals(expected.length, actual.length, what);
        double squares = 0;
        double errors = 0;
        for (int i = 0; i < expected.length; i++) {
            squares += (double) expected[i] * expected[i];
            errors += (expected[i] - (double) actual[i]) * (expected[i] - (double) actual[i]);
        }
        assertTrue(Math.sqrt(errors) <= tolerance * Math.sqrt(squares),
                what + " is off by " + Math.sqrt(errors / squares) + " of its norm");
    }

    private static void close(String what, float[] expected, float[] actual, double tolerance) {
        assertEquals(expected.length, actual.length, what);
        double largest = 0;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], tolerance * largest,
                    what + " element " + i + ", the largest being " + largest);
        }
    }
}
