package io.mixt5.engine.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.Dropout;
import io.mixt5.engine.Gradients;
import io.mixt5.engine.HostMemory;
import io.mixt5.engine.Jitter;
import io.mixt5.engine.Kernel;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.reference.ReferenceBackend;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Arguments that do not fit are refused before any kernel runs, by the op's name and with all tensors' shapes. */
class OpArgumentsTest {
    private final Device device = Device.uncached(new ReferenceBackend());
    private final Scope scope = new Scope(device);
    private final Tape tape = Tape.recording(scope);
    private final Tensor x = floats("x", 4, 6);
    private final Tensor half = scope.zeros(DType.F16, Shape.of(4, 6), "half");
    private final Tensor ids = scope.ints(new int[]{1, 2, 0, 3}, "ids");

    @AfterEach
    void close() {
        scope.close();
        assertEquals(0, device.liveTensors());
    }

    private Tensor floats(String name, long... dims) {
        return scope.zeros(DType.F32, Shape.of(dims), name);
    }

    private static void refused(Executable call, String... parts) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        for (String part : parts) {
            assertTrue(message.contains(part), message);
        }
    }

    @Test
    void elementWiseOpsWantEqualShapesAndTypes() {
        Tensor wide = floats("wide", 4, 7);
        refused(() -> Add.apply(tape, x, wide), "add", "x F32[4, 6]", "wide F32[4, 7]");
        refused(() -> Add.apply(tape, x, half), "add", "half F16[4, 6]", "one type");
        refused(() -> Add.apply(tape, ids, ids), "add", "ids I32[4]");
        refused(() -> GatedGelu.apply(tape, x, wide, Dropout.NONE), "gated_gelu", "wide F32[4, 7]");
        refused(() -> GatedGelu.apply(tape, x, half, Dropout.NONE), "gated_gelu", "half F16[4, 6]");
        refused(() -> DropoutAdd.apply(tape, wide, x, Dropout.NONE), "dropout_add", "wide F32[4, 7]");
        refused(() -> DropoutAdd.apply(tape, half, x, Dropout.NONE), "dropout_add", "half F16[4, 6]");
        refused(() -> Relu.apply(tape, ids, Dropout.NONE), "relu", "ids I32[4]");
        refused(() -> Scale.apply(tape, ids, 2), "scale", "ids I32[4]");
        refused(() -> Cast.apply(tape, ids, DType.F32), "cast", "ids I32[4]");
        refused(() -> Cast.apply(tape, x, DType.I32), "cast", "x F32[4, 6]");
    }

    @Test
    void castsWantATypeThatTheDeviceTakes() {
        Cast.Kernel noHalves = new Cast.Kernel() {
            @Override
            public String unsupported(DType dtype) {
                return dtype == DType.F16 ? "there are no halves here" : null;
            }

            @Override
            public void cast(Tensor from, Gradients.Target to) {
                throw new AssertionError("runs");
            }
        };
        Device poor = Device.uncached(new HostMemory() {
            @Override
            public String name() {
                return "poor";
            }

            @Override
            public String unavailable() {
                return null;
            }

            @Override
            public <K extends Kernel> K kernel(Class<K> type) {
                return type.cast(noHalves);
            }
        });
        try (Scope there = new Scope(poor)) {
            Tensor full = there.zeros(DType.F32, Shape.of(2), "full");
            var error = assertThrows(UnsupportedOperationException.class,
                    () -> Cast.apply(Tape.recording(there), full, DType.F16));
            assertTrue(error.getMessage().contains("no halves"), error.getMessage());
            assertEquals(1, poor.liveTensors());
        }
    }

    @Test
    void productsWantTheirInnerSizesToAgree() {
        refused(() -> Linear.apply(tape, x, floats("w", 6, 5)), "linear", "x F32[4, 6]", "w F32[6, 5]");
        refused(() -> Linear.apply(tape, x, floats("w", 6)), "linear", "w F32[6]");
        refused(() -> Linear.apply(tape, x, half), "linear", "half F16[4, 6]");
        refused(() -> Linear.apply(tape, floats("scalar"), floats("w", 2, 1)), "linear", "scalar F32[]");
        refused(() -> RmsNorm.apply(tape, x, floats("w", 5), 1e-6f), "rms_norm", "w F32[5]");
        refused(() -> RmsNorm.apply(tape, x, floats("w", 1, 6), 1e-6f), "rms_norm", "w F32[1, 6]");
    }

    @Test
    void routingAndWhatFollowsItWantTheSameTokens() {
        Route.Spec top8 = Route.Spec.dropless(8, Route.Gate.RAW);
        Route.Spec top1 = Route.Spec.dropless(1, Route.Gate.RAW);
        Route.Spec grouped = new Route.Spec(1, Route.Gate.RAW, Route.Policy.DROPLESS, 0, 0, new int[]{2, 3}, null);
        refused(() -> Route.apply(tape, x, null, top8), "route", "E >= 8", "x F32[4, 6]");
        refused(() -> Route.apply(tape, half, null, top1), "route", "half F16[4, 6]", "cast");
        refused(() -> Route.apply(tape, x, floats("valid", 4), top1), "route", "valid F32[4]");
        refused(() -> Route.apply(tape, x, null, grouped), "route", "groups");
        Routing routing = Route.apply(tape, x, null, top1);
        Tensor other = floats("other", 5, 6);
        refused(() -> Dispatch.apply(tape, other, routing), "dispatch", "other F32[5, 6]");
        refused(() -> Combine.apply(tape, other, routing), "combine", "other F32[5, 6]");
        refused(() -> InputJitter.apply(tape, ids, Jitter.NONE), "input_jitter", "ids I32[4]");
        List<Tensor> weights = List.of(floats("w0", 5, 6), floats("w1", 4, 6));
        Tensor offsets = scope.ints(new int[]{0, 2, 4}, "offsets");
        refused(() -> GroupedLinear.apply(tape, x, weights, offsets), "grouped_linear", "w1 F32[4, 6]");
        refused(() -> GroupedLinear.apply(tape, x, weights, ids), "grouped_linear", "2 experts", "ids I32[4]");
    }

    @Test
    void indicesAreIntegersInTheRightNumber() {
        refused(() -> Embedding.apply(tape, x, floats("ids", 3)), "embedding", "ids F32[3]");
        refused(() -> Embedding.apply(tape, floats("table", 6), ids), "embedding", "table F32[6]");
        refused(() -> CrossEntropy.apply(tape, floats("logits", 3, 6), ids), "cross_entropy", "logits F32[3, 6]");
        refused(() -> CrossEntropy.apply(tape, x, floats("labels", 4)), "cross_entropy", "labels F32[4]");
        refused(() -> WriteRows.apply(tape, floats("s", 3, 6), ids, x), "write_rows", "s F32[3, 6]");
        refused(() -> WriteRows.apply(tape, floats("s", 4, 5), ids, x), "write_rows", "s F32[4, 5]");
        refused(() -> WriteRows.apply(tape, half, ids, x), "write_rows", "half F16[4, 6]");
        refused(() -> ArgMax.apply(tape, floats("none", 3, 0)), "argmax", "none F32[3, 0]");
    }

    @Test
    void attentionWantsTheLayoutsRows() {
        Attention.Spec spec = new Attention.Spec(2, false, true, 128, SequenceLayout.self(3, 2), Dropout.NONE);
        Tensor rows = floats("rows", 5, 6);
        refused(() -> Attention.apply(tape, x, rows, rows, null, spec), "attention", "x F32[4, 6]");
        refused(() -> Attention.apply(tape, rows, x, x, null, spec), "attention", "x F32[4, 6]");
        refused(() -> Attention.apply(tape, rows, rows, x, null, spec), "attention", "x F32[4, 6]");
        Tensor odd = floats("odd", 5, 7);
        refused(() -> Attention.apply(tape, odd, odd, odd, null, spec), "attention", "odd F32[5, 7]");
        refused(() -> Attention.apply(tape, rows, rows, rows, floats("table", 32, 3), spec), "table F32[32, 3]");
        refused(() -> Attention.apply(tape, rows, rows, rows, floats("table", 512, 2), spec), "table F32[512, 2]",
                "128");
        refused(() -> Attention.apply(tape, rows, rows, rows, floats("table", 3, 2), spec), "table F32[3, 2]");
        refused(() -> new Attention.Spec(0, false, true, 128, SequenceLayout.self(5), Dropout.NONE), "not 0");
    }

    @Test
    void optimisersWantStateThatFits() {
        Tensor same = floats("same", 4, 6);
        Tensor other = floats("other", 6, 4);
        Tensor counts = floats("counts", 1);
        Updates updates = new Updates(counts, null, 0);
        AdamW.Settings adam = new AdamW.Settings(0.1, 0.9, 0.999, 1e-8, updates);
        refused(() -> AdamW.apply(device, List.of(new AdamW.Slot(0, x, other, null, same, same, 0)), adam), "adamw",
                "other");
        refused(() -> AdamW.apply(device, List.of(new AdamW.Slot(0, x, same, null, same, other, 0)), adam), "adamw",
                "other");
        Adafactor.Settings adafactor = new Adafactor.Settings(0.1, true, -0.8, 1, updates);
        Tensor rows = floats("rows", 4);
        Tensor columns = floats("columns", 6);
        refused(() -> Adafactor.apply(device, List.of(new Adafactor.Slot(0, x, same, null, columns, rows, 0)),
                adafactor),
                "adafactor", "rows F32[4]");
        refused(() -> Adafactor.apply(device, List.of(new Adafactor.Slot(0, x, same, null, rows, null, 0)), adafactor),
                "adafactor");
        refused(() -> Adafactor.apply(device, List.of(new Adafactor.Slot(0, x, other, null, rows, columns, 0)),
                adafactor),
                "adafactor", "other F32[6, 4]");
        Tensor fits = floats("fits", 4, 6);
        AdamW.Slot halves = new AdamW.Slot(0, half, half, null, half, half, 0);
        refused(() -> AdamW.apply(device, List.of(new AdamW.Slot(0, x, fits, null, fits, half, 0)), adam),
                "half F16[4, 6]");
        refused(() -> AdamW.apply(device, List.of(new AdamW.Slot(0, x, fits, null, same, same, 0), halves), adam),
                "half F16[4, 6]", "one type");
        refused(() -> Adafactor.apply(device, List.of(new Adafactor.Slot(0, x, half, null, rows, columns, 0)),
                adafactor),
                "adafactor", "half F16[4, 6]");
        refused(() -> AdamW.apply(device, List.of(new AdamW.Slot(1, x, same, null, same, same, 0)), adam), "adamw",
                "parameter 1", "counts F32[1]");
        refused(() -> Adafactor.apply(device, List.of(new Adafactor.Slot(0, x, same, ids, rows, columns, 0)),
                adafactor), "adafactor", "one count", "ids I32[4]");
        AdamW.apply(device, List.of(), adam);
        Adafactor.apply(device, List.of(), adafactor);
    }

    @Test
    void normsWantOneType() {
        refused(() -> GradNorm.apply(scope, List.of()), "grad_norm", "at least one tensor");
        refused(() -> GradNorm.apply(scope, List.of(x, half)), "grad_norm", "half F16[4, 6]");
    }

    @Test
    void clippingOnlyEverShrinks() {
        assertEquals(1, GradNorm.clipFactor(0.5, 1));
        assertEquals(1, GradNorm.clipFactor(0, 1));
        assertEquals(0.25, GradNorm.clipFactor(4, 1), 1e-6);
        assertEquals(1, GradNorm.clipFactor(4, 0), "0 does not clip");
    }
}
