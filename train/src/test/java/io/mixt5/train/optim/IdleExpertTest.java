package io.mixt5.train.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GradNorm;
import io.mixt5.engine.op.GroupedLinear;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an expert without tokens keeps through updates: everything. */
class IdleExpertTest {
    private static final Map<String, BiFunction<List<Parameter>, Double, Optimizer>> OPTIMIZERS = Map.of("AdamW",
            (parameters, decay) -> new AdamWOptimizer(parameters, p -> decay, 0.9, 0.999, 1e-8), "Adafactor",
            (parameters, decay) -> new AdafactorOptimizer(parameters, p -> decay));
    private static final int PARAMETERS = 3;

    private Device device;

    @ParameterizedTest
    @CsvSource({"reference, AdamW", "cpu, AdamW", "emulator, AdamW", "reference, Adafactor", "cpu, Adafactor",
            "emulator, Adafactor"})
    void itsWeightsMomentsAndUpdatesStayAndItsNextUpdateIsItsOwnNext(String where, String kind) {
        device = Device.of(where);
        List<Parameter> parameters = parameters();
        try (Optimizer optimizer = OPTIMIZERS.get(kind).apply(parameters, 0.1)) {
            // Two experts; the last parameter takes part in nothing and has no gradient at all.
            step(parameters, optimizer, 1e9, 2, 3);
            assertCounts(optimizer, 1, 1, 0);
            Map<String, double[]> before = contents(parameters, optimizer);
            step(parameters, optimizer, 1e9, 0, 3);
            step(parameters, optimizer, 1e9, 0, 1, 0, 2);
            assertCounts(optimizer, 1, 3, 0);
            Map<String, double[]> after = contents(parameters, optimizer);
            for (String name : before.keySet()) {
                boolean busy = name.contains("busy") || name.equals("updates");
                assertEquals(!busy, Arrays.equals(before.get(name), after.get(name)), name);
            }
            // Of two micro-batches the second has rows.
            step(parameters, optimizer, 1e9, 0, 3, 2, 3);
            assertCounts(optimizer, 2, 4, 0);
            Map<String, double[]> last = contents(parameters, optimizer);
            assertFalse(Arrays.equals(before.get("idle"), last.get("idle")));

            // The idle expert has had the updates of a model that never saw the two steps in between.
            List<Parameter> others = parameters();
            try (Optimizer other = OPTIMIZERS.get(kind).apply(others, 0.1)) {
                step(others, other, 1e9, 2, 3);
                step(others, other, 1e9, 0, 3, 2, 3);
                Map<String, double[]> expected = contents(others, other);
                expected.keySet().stream().filter(name -> name.contains("idle"))
                        .forEach(name -> assertArrayEquals(expected.get(name), last.get(name), name));
            } finally {
                others.forEach(p -> p.value().close());
            }
        } finally {
            parameters.forEach(p -> p.value().close());
        }
    }

    @ParameterizedTest
    @CsvSource({"reference, AdamW", "cpu, AdamW", "emulator, AdamW", "reference, Adafactor", "cpu, Adafactor",
            "emulator, Adafactor"})
    void aNormAboveTheLimitUpdatesNothing(String where, String kind) {
        device = Device.of(where);
        List<Parameter> parameters = parameters();
        try (Optimizer optimizer = OPTIMIZERS.get(kind).apply(parameters, 0.1)) {
            step(parameters, optimizer, 1e9, 2, 3);
            Map<String, double[]> before = contents(parameters, optimizer);
            step(parameters, optimizer, 1e-3, 2, 3);
            Map<String, double[]> after = contents(parameters, optimizer);
            before.forEach((name, values) -> assertArrayEquals(values, after.get(name), name));
            step(parameters, optimizer, Double.POSITIVE_INFINITY, 2, 3);
            assertCounts(optimizer, 2, 2, 0);
        } finally {
            parameters.forEach(p -> p.value().close());
        }
    }

    private List<Parameter> parameters() {
        return List.of(parameter("idle", 1), parameter("busy", 2), parameter("apart", 3));
    }

    private Parameter parameter(String name, double value) {
        Tensor weight = Tensor.create(device, DType.F32, Shape.of(3, 5), name);
        return new Parameter(name, weight.upload(ramp(weight, value)));
    }

    private static double[] ramp(Tensor tensor, double first) {
        double[] values = new double[(int) tensor.count()];
        Arrays.setAll(values, i -> first + i / 8.0);
        return values;
    }

    /** @param offsets for each micro-batch, where the second expert's rows begin and where they end */
    private void step(List<Parameter> parameters, Optimizer optimizer, double maxUsable, int... offsets) {
        parameters.forEach(p -> p.value().clearGrad());
        List<Tensor> weights = parameters.stream().limit(2).map(Parameter::value).toList();
        try (Scope scope = new Scope(device)) {
            for (int i = 0; i < offsets.length; i += 2) {
                Tape tape = Tape.recording(scope);
                Tensor x = scope.zeros(DType.F32, Shape.of(4, 5), "x");
                Tensor y = GroupedLinear.apply(tape, x.upload(ramp(x, 0.1)), weights,
                        scope.ints(new int[]{0, offsets[i], offsets[i + 1]}, "offsets"));
                Tensor seed = scope.zeros(DType.F32, y.shape(), "seed");
                tape.backward(new Tensor[]{y}, new Tensor[]{seed.upload(ramp(y, -0.001))});
            }
            List<Tensor> gradients = weights.stream().map(Tensor::grad).toList();
            assertTrue(parameters.getLast().value().grad() == null);
            optimizer.step(0.01, GradNorm.apply(scope, gradients), 1, maxUsable);
        }
    }

    private static void assertCounts(Optimizer optimizer, double... expected) {
        assertEquals(PARAMETERS, expected.length);
        assertArrayEquals(expected, optimizer.state().get("updates").toDoubles());
    }

    private static Map<String, double[]> contents(List<Parameter> parameters, Optimizer optimizer) {
        Map<String, double[]> contents = new LinkedHashMap<>();
        parameters.forEach(p -> contents.put(p.name(), p.value().toDoubles()));
        optimizer.state().forEach((name, tensor) -> contents.put(name, tensor.toDoubles()));
        return contents;
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
