package io.mixt5.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.mixt5.engine.CaseRun;
import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.Dropout;
import io.mixt5.engine.Jitter;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Philox;
import io.mixt5.engine.RandomStream;
import io.mixt5.engine.Shape;
import io.mixt5.engine.op.AdamW;
import io.mixt5.engine.op.Add;
import io.mixt5.engine.op.Attention;
import io.mixt5.engine.op.Cast;
import io.mixt5.engine.op.Combine;
import io.mixt5.engine.op.CrossEntropy;
import io.mixt5.engine.op.Dispatch;
import io.mixt5.engine.op.DropoutAdd;
import io.mixt5.engine.op.Embedding;
import io.mixt5.engine.op.GatedGelu;
import io.mixt5.engine.op.GradNorm;
import io.mixt5.engine.op.GroupedLinear;
import io.mixt5.engine.op.InputJitter;
import io.mixt5.engine.op.Linear;
import io.mixt5.engine.op.Relu;
import io.mixt5.engine.op.RmsNorm;
import io.mixt5.engine.op.Route;
import io.mixt5.engine.op.Scale;
import io.mixt5.engine.op.SequenceLayout;
import io.mixt5.engine.op.Updates;
import io.mixt5.kernels.emulator.Emulator;
import io.mixt5.kernels.emulator.EmulatorSettings;
import io.mixt5.kernels.emulator.counters.Counters;
import io.mixt5.kernels.emulator.counters.KernelCounters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What the kernels do to memory at sizes like those of T5-small, exact and the same on every machine: the committed
 * table of counters is true, and the kernels that memory limits move hardly more than they must. With
 * {@code -Dmixt5.update=true} the table is written anew.
 */
class CudaCountersTest {
    private static final Path TABLE = Path.of("src/main/cuda/counters.md");
    private static final List<String> STREAMING = List.of("add_", "scale_", "relu_", "gated_gelu_", "dropout_add_",
            "input_jitter_", "cast_", "rms_norm_forward", "rms_norm_backward_x");
    private static Map<String, KernelCounters> kernels;

    @BeforeAll
    static void count() {
        Counters counters = new Counters();
        Device device = Device.uncached(new CudaBackend("counted",
                () -> new Emulator(EmulatorSettings.DEFAULT.withMonitor(counters)), 0));
        for (OpCase work : works()) {
            for (DType dtype : List.of(DType.F32, DType.F16)) {
                boolean refused = work.name().equals("route") && dtype != DType.F32;
                if (!refused) {
                    CaseRun.of(work, device, dtype, 1);
                }
            }
        }
        kernels = new TreeMap<>(counters.kernels());
    }

    private static List<OpCase> works() {
        Dropout dropout = new Dropout(0.1f, 3, 1, 2);
        Attention.Spec attention = new Attention.Spec(2, false, true, 128, SequenceLayout.self(64, 48), dropout);
        Route.Spec top1 = Route.Spec.dropless(1, Route.Gate.RAW);
        int[] ids = IntStream.range(0, 64).map(i -> i * 37 % 300).toArray();
        int[] labels = IntStream.range(0, 8).map(i -> i * 999).toArray();
        OpCase.Fill normal = (stream, index) -> Philox.normal(1, stream, 0, index);
        OpCase.Fill positive = (stream, index) -> Math.abs(normal.value(stream, index)) + 0.1;
        return List.of(
                OpCase.named("add").input("a", 64, 512).input("b", 64, 512)
                        .run((tape, in) -> List.of(Add.apply(tape, in.get(0), in.get(1)))),
                OpCase.named("scale").input("x", 64, 512)
                        .run((tape, in) -> List.of(Scale.apply(tape, in.get(0), 0.5f))),
                OpCase.named("relu").input("x", 64, 512)
                        .run((tape, in) -> List.of(Relu.apply(tape, in.get(0), dropout))),
                OpCase.named("gated_gelu").input("gate", 64, 1024).input("up", 64, 1024)
                        .run((tape, in) -> List.of(GatedGelu.apply(tape, in.get(0), in.get(1), dropout))),
                OpCase.named("dropout_add").input("residual", 64, 512).input("x", 64, 512)
                        .run((tape, in) -> List.of(DropoutAdd.apply(tape, in.get(0), in.get(1), dropout))),
                OpCase.named("input_jitter").input("x", 64, 512).run((tape, in) -> List
                        .of(InputJitter.apply(tape, in.get(0), new Jitter(0.01f, new RandomStream(1, 2, 3))))),
                OpCase.named("cast").input("x", 64, 512)
                        .run((tape, in) -> List.of(Cast.apply(tape, in.get(0), DType.BF16))),
                OpCase.named("rms_norm").input("x", 64, 512).input("weight", 512)
                        .run((tape, in) -> List.of(RmsNorm.apply(tape, in.get(0), in.get(1), 1e-6f))),
                OpCase.named("embedding").ints("ids", ids).input("table", 300, 512)
                        .run((tape, in) -> List.of(Embedding.apply(tape, in.get(1), in.get(0)))),
                OpCase.named("cross_entropy").input("logits", 8, 8192).ints("labels", labels)
                        .run((tape, in) -> List.of(CrossEntropy.apply(tape, in.get(0), in.get(1)))),
                OpCase.named("attention").input("q", 0.6, 112, 128).input("k", 0.6, 112, 128).input("v", 112, 128)
                        .input("table", 32, 2).run((tape, in) -> List
                                .of(Attention.apply(tape, in.get(0), in.get(1), in.get(2), in.get(3), attention))),
                OpCase.named("linear").input("x", 128, 256).input("weight", 384, 256)
                        .run((tape, in) -> List.of(Linear.apply(tape, in.get(0), in.get(1)))),
                OpCase.named("grouped_linear").ints("offsets", 0, 50, 128).input("x", 128, 256).input("a", 256, 256)
                        .input("b", 256, 256).run((tape, in) -> List.of(
                                GroupedLinear.apply(tape, in.get(1), List.of(in.get(2), in.get(3)), in.get(0)))),
                OpCase.named("route").input("logits", 512, 8)
                        .run((tape, in) -> List.of(Route.apply(tape, in.get(0), null, top1).weights())),
                OpCase.named("experts").input("x", 128, 512).input("logits", 128, 8).run((tape, in) -> {
                    var routing = Route.apply(tape, Cast.apply(tape, in.get(1), DType.F32), null, top1);
                    return List.of(Combine.apply(tape, Dispatch.apply(tape, in.get(0), routing), routing));
                }),
                OpCase.named("adamw").constant("w", normal, 256, 512).constant("g", normal, 256, 512)
                        .constant("m", normal, 256, 512).constant("v", positive, 256, 512).run((tape, in) -> {
                            AdamW.apply(tape.device(),
                                    List.of(new AdamW.Slot(0, in.get(0), in.get(1), null, in.get(2), in.get(3), 0)),
                                    new AdamW.Settings(1e-3, 0.9, 0.999, 1e-8, new Updates(
                                            tape.scope().zeros(DType.F32, Shape.of(1), "counts"), null, 0)));
                            return List.of(in.get(0));
                        }),
                OpCase.named("grad_norm").constant("g", normal, 256, 512)
                        .run((tape, in) -> List.of(GradNorm.apply(tape.scope(), in))));
    }

    @Test
    void theCommittedTableIsTrue() throws IOException {
        String table = table();
        if (Boolean.getBoolean("mixt5.update")) {
            Files.writeString(TABLE, table);
        } else if (!Files.exists(TABLE) || !Files.readString(TABLE).equals(table)) {
            fail(TABLE + " is not what the emulator counts now; run this test with -Dmixt5.update=true, look at what "
                    + "has changed and commit it:\n" + table);
        }
    }

    @Test
    void elementWiseAndNormKernelsMoveWhatTheyMust() {
        List<String> wrong = new ArrayList<>();
        int seen = 0;
        for (var kernel : kernels.entrySet()) {
            if (STREAMING.stream().anyMatch(kernel.getKey()::startsWith)) {
                seen++;
                double moved = kernel.getValue().global().movedOverLeast();
                double coalescing = kernel.getValue().global().coalescing();
                if (moved > 1.05 || coalescing < 0.95) {
                    wrong.add(kernel.getKey() + " moves " + moved + " times the least and coalesces " + coalescing);
                }
            }
        }
        assertTrue(seen >= 2 * STREAMING.size() - 2, "kernels seen: " + kernels.keySet());
        assertEquals(List.of(), wrong);
    }

    @Test
    void routedRowsMoveLittleMore() {
        List<String> wrong = new ArrayList<>();
        kernels.forEach((name, counted) -> {
            if ((name.startsWith("dispatch") || name.startsWith("combine"))
                    && counted.global().movedOverLeast() > 1.15) {
                wrong.add(name + " moves " + counted.global().movedOverLeast());
            }
        });
        assertEquals(List.of(), wrong);
    }

    @Test
    void productsHaveHardlyAnyBankConflicts() {
        List<String> wrong = new ArrayList<>();
        int seen = 0;
        for (var kernel : kernels.entrySet()) {
            if (kernel.getKey().contains("gemm")) {
                seen++;
                double ways = kernel.getValue().shared().ways();
                if (ways > 1.05) {
                    wrong.add(kernel.getKey() + " conflicts " + ways + " ways");
                }
            }
        }
        assertTrue(seen >= 2, "kernels seen: " + kernels.keySet());
        assertEquals(List.of(), wrong);
    }

    private static String table() {
        StringBuilder text = new StringBuilder(
                """
                        # What the kernels do to memory

                        Counted on the emulator, compute capability 8.0, at sizes like those of T5-small; `CudaCountersTest` keeps it true.
                        Moved: bytes read and written over the number of different bytes read and of those written. Sectors: the
                        least number of 32-byte sectors over those requested. Ways: steps of shared memory over the least. mma: the
                        share of matrix products among the warps' instructions. Time, caches and occupancy are not in it.

                        | kernel | launches | moved | sectors | ways | mma | divergent branches |
                        |---|--:|--:|--:|--:|--:|--:|
                        """);
        kernels.forEach((name,
                c) -> text.append(String.format(Locale.ROOT, "| %s | %d | %.2f | %.2f | %.2f | %s | %.0f %% |%n",
                        name, c.launches(), c.global().movedOverLeast(), c.global().coalescing(), c.shared().ways(),
                        c.matrixShare() == 0 ? "" : String.format(Locale.ROOT, "%.1f %%", 100 * c.matrixShare()),
                        100 * c.divergence())));
        return text.toString();
    }
}
