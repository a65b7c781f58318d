package io.mixt5.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.HostMemory;
import io.mixt5.engine.Kernel;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.UserException;
import io.mixt5.engine.op.Linear;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Models in the half types on the reference backend: against PyTorch's F32 numbers, and what has to stay F32. */
class MixedPrecisionTest {
    private static final double ROUNDING_OF_BF16 = 1.0 / 256;
    private static final double ROUNDING_OF_FP16 = 1.0 / 2048;

    @TempDir
    Path directory;
    private final Device device = Device.of("reference");

    /** A few blocks: within 8 roundings of the type, and gradients within some per cent of their norm. */
    @ParameterizedTest
    @CsvSource({"tiny-t5-v1_1, BF16", "tiny-t5-v1_1, FP16", "tiny-t5-v1_0, BF16", "tiny-t5-v1_0, FP16",
            "tiny-moe-top2, BF16", "tiny-moe-top2, FP16", "tiny-moe-top1, BF16", "tiny-moe-top1, FP16"})
    void lossLogitsAndGradientsAreNearPyTorchs(String name, Precision precision) {
        double rounding = precision == Precision.BF16 ? ROUNDING_OF_BF16 : ROUNDING_OF_FP16;
        double gradients = precision == Precision.BF16 ? 0.125 : 0.03;
        ModelGoldens.ofProject(name, directory).checkPass(device, precision, 8 * rounding, gradients);
    }

    @ParameterizedTest
    @EnumSource(Precision.class)
    void generationComputesInThePrecisionAndLeavesTheWeights(Precision precision) {
        ModelGoldens goldens = ModelGoldens.ofProject("tiny-t5-v1_1", directory);
        try (T5Model model = T5Model.load(goldens.directory(), device).compute(precision)) {
            List<int[]> outputs = new Generator(model, 6).generate(goldens.sources());
            assertArrayEquals(outputs.getFirst(), new Generator(model, 6).generate(goldens.sources()).getFirst());
            assertEquals(goldens.sources().size(), outputs.size());
            try (Scope scope = new Scope(device)) {
                T5Model.Output output = model.forward(Tape.inference(scope), goldens.batch(model.config()));
                assertEquals(precision.dtype(), output.logits().dtype());
                assertEquals(precision.dtype(), output.encoded().dtype());
                assertEquals(DType.F32, output.loss().dtype());
            }
            assertTrue(model.parameters().all().stream().allMatch(p -> p.value().dtype() == DType.F32));
        }
    }

    /** Greedy ids with a cache in the half type are those of whole passes over the same prefix. */
    @Test
    void theCacheOfAHalfModelGivesWhatWholePassesGive() {
        ModelGoldens goldens = ModelGoldens.ofProject("tiny-t5-v1_1", directory);
        try (T5Model model = T5Model.load(goldens.directory(), device).compute(Precision.BF16);
                Scope scope = new Scope(device)) {
            int[] ids = new Generator(model, 5).generate(goldens.sources()).getFirst();
            Ragged source = Ragged.of(List.of(goldens.sources().getFirst()));
            int[] prefix = new int[ids.length];
            System.arraycopy(ids, 0, prefix, 1, ids.length - 1);
            prefix[0] = model.config().decoderStartTokenId;
            Tape tape = Tape.inference(scope);
            var states = model.decode(tape, Ragged.of(List.of(prefix)), model.encode(tape, source), source);
            assertArrayEquals(ids, io.mixt5.engine.op.ArgMax.apply(tape, model.logits(tape, states)).toInts());
        }
    }

    @Test
    void gradientsAreF32AndThoseOfIdleExpertsAreNone() {
        ModelGoldens goldens = ModelGoldens.ofProject("tiny-moe-top1", directory);
        try (T5Model model = T5Model.load(goldens.directory(), device).compute(Precision.FP16);
                Scope scope = new Scope(device)) {
            Tape tape = Tape.recording(scope);
            T5Model.Output output = model.forward(tape, goldens.batch(model.config()));
            tape.backward(output.loss());
            for (RoutingFigures layer : output.routing().figures()) {
                for (int e = 0; e < layer.counts().length; e++) {
                    Parameter wo = model.parameters().get(layer.layer() + ".experts." + e + ".wo.weight");
                    assertEquals(layer.counts()[e] == 0, ModelGoldens.idle(wo.value()), wo.name());
                }
            }
            assertTrue(model.parameters().gradients().stream().allMatch(g -> g.dtype() == DType.F32));
        }
    }

    @Test
    void aDeviceThatTakesNoHalvesSaysSo() {
        Device single = Device.uncached(new OnlySingle());
        UserException error = assertThrows(UserException.class, () -> Precision.BF16.requireOn(single));
        assertEquals("precision bf16 needs a device that takes BF16, and device 'single' does not; "
                + "use precision fp32, or another device", error.getMessage());
        Precision.FP32.requireOn(single);
    }

    /** A device whose only kernel takes F32. */
    private static final class OnlySingle extends HostMemory {
        @Override
        public String name() {
            return "single";
        }

        @Override
        public String unavailable() {
            return null;
        }

        @Override
        public <K extends Kernel> K kernel(Class<K> type) {
            Linear.Kernel real = Device.of("reference").backend().kernel(Linear.Kernel.class);
            return type.cast(java.lang.reflect.Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[]{type},
                    (proxy, method, arguments) -> method.getName().equals("unsupported")
                            ? arguments[0] == DType.F32 ? null : "it takes F32 only"
                            : method.invoke(real, arguments)));
        }
    }

    @AfterEach
    void leavesNoTensor() {
        assertEquals(0, device.liveTensors());
    }
}
