package io.mixt5.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.CaseRun;
import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.Dropout;
import io.mixt5.engine.GuardedBackend;
import io.mixt5.engine.Jitter;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Philox;
import io.mixt5.engine.RandomStream;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Adafactor;
import io.mixt5.engine.op.AdamW;
import io.mixt5.engine.op.Add;
import io.mixt5.engine.op.ArgMax;
import io.mixt5.engine.op.Combine;
import io.mixt5.engine.op.CrossEntropy;
import io.mixt5.engine.op.Dispatch;
import io.mixt5.engine.op.DropoutAdd;
import io.mixt5.engine.op.Embedding;
import io.mixt5.engine.op.GatedGelu;
import io.mixt5.engine.op.GradNorm;
import io.mixt5.engine.op.GroupedLinear;
import io.mixt5.engine.op.InputJitter;
import io.mixt5.engine.op.Relu;
import io.mixt5.engine.op.RmsNorm;
import io.mixt5.engine.op.Route;
import io.mixt5.engine.op.Route.Gate;
import io.mixt5.engine.op.Route.Policy;
import io.mixt5.engine.op.Route.Spec;
import io.mixt5.engine.op.Routing;
import io.mixt5.engine.op.Updates;
import io.mixt5.engine.reference.ReferenceBackend;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/** Sizes of several chunks and stripes, which the ops' own cases do not reach. */
@Tag("every-width")
class CpuLargeTest {
    private static final Dropout DROPOUT = new Dropout(0.2f, 3, 4, 5);
    private static final OpCase.Fill NORMAL = (stream, index) -> Philox.normal(1, stream, 0, index);
    private static final OpCase.Fill POSITIVE = (stream, index) -> 0.01 + Math.abs(NORMAL.value(stream, index));

    private static List<OpCase> cases() {
        int[] ids = IntStream.range(0, 700).map(i -> i * i % 97).toArray();
        return List.of(
                OpCase.named("add").input("a", 5, 8191).input("b", 5, 8191)
                        .run((tape, in) -> List.of(Add.apply(tape, in.get(0), in.get(1)))),
                OpCase.named("dropout_add").input("residual", 5, 8191).input("x", 5, 8191)
                        .run((tape, in) -> List.of(DropoutAdd.apply(tape, in.get(0), in.get(1), DROPOUT))),
                OpCase.named("relu").input("x", 5, 8191)
                        .run((tape, in) -> List.of(Relu.apply(tape, in.get(0), DROPOUT))),
                OpCase.named("gated_gelu").input("gate", 3.0, 5, 8191).input("up", 5, 8191)
                        .run((tape, in) -> List.of(GatedGelu.apply(tape, in.get(0), in.get(1), DROPOUT))),
                OpCase.named("rms_norm").input("x", 900, 150).input("weight", 150)
                        .run((tape, in) -> List.of(RmsNorm.apply(tape, in.get(0), in.get(1), 1e-6f))),
                OpCase.named("embedding").input("table", 97, 150).ints("ids", ids)
                        .run((tape, in) -> List.of(Embedding.apply(tape, in.get(0), in.get(1)))),
                OpCase.named("cross_entropy").input("logits", 5.0, 5, 40001).ints("labels", 0, 40000, 2047, -100, 39999)
                        .run((tape, in) -> List.of(CrossEntropy.apply(tape, in.get(0), in.get(1)))),
                OpCase.named("argmax").constant("x", NORMAL, 7, 9001)
                        .run((tape, in) -> List.of(ArgMax.apply(tape, in.get(0)))),
                OpCase.named("grad_norm").constant("a", NORMAL, 3, 16384).constant("b", NORMAL, 1)
                        .constant("c", NORMAL, 16385).run((tape, in) -> List.of(GradNorm.apply(tape.scope(), in))),
                OpCase.named("adamw").constant("w", NORMAL, 5, 8191).constant("g", NORMAL, 5, 8191)
                        .constant("m", NORMAL, 5, 8191).constant("v", POSITIVE, 5, 8191).run(CpuLargeTest::adamW),
                OpCase.named("adafactor").constant("w", NORMAL, 500, 151).constant("g", NORMAL, 500, 151)
                        .constant("rows", POSITIVE, 500).constant("columns", POSITIVE, 151).tolerance(5e-5)
                        .run(CpuLargeTest::adafactor),
                OpCase.named("input_jitter").input("x", 5, 8191).run((tape, in) -> List.of(InputJitter.apply(tape,
                        in.get(0), new Jitter(0.1f, new RandomStream(1, 2, 3))))),
                mixture("mixture, all routed", Spec.dropless(2, Gate.RENORMALIZED)),
                mixture("mixture, some dropped", new Spec(2, Gate.RAW, Policy.CAPACITY, 0.9, 0, null, null)));
    }

    /** 2500 tokens, five experts. */
    private static OpCase mixture(String name, Spec spec) {
        OpCase.Builder builder = OpCase.named(name).input("x", 2500, 33).input("logits", 2500, 5);
        for (int e = 0; e < 5; e++) {
            builder.input("weight " + e, 70, 33);
        }
        return builder.tolerance(5e-5).run((tape, in) -> {
            Routing routing = Route.apply(tape, in.get(1), null, spec);
            Tensor rows = GroupedLinear.apply(tape, Dispatch.apply(tape, in.get(0), routing), in.subList(2, in.size()),
                    routing.offsets());
            return List.of(Combine.apply(tape, rows, routing), routing.balance(), routing.z());
        });
    }

    private static List<Tensor> adamW(io.mixt5.engine.Tape tape, List<Tensor> in) {
        AdamW.Slot slot = new AdamW.Slot(0, in.get(0), in.get(1), null, in.get(2), in.get(3), 0.1f);
        AdamW.apply(tape.device(), List.of(slot), new AdamW.Settings(1e-2, 0.9, 0.999, 1e-8, third(tape)));
        return List.of(in.get(0), in.get(2), in.get(3));
    }

    private static List<Tensor> adafactor(io.mixt5.engine.Tape tape, List<Tensor> in) {
        Adafactor.Slot slot = new Adafactor.Slot(0, in.get(0), in.get(1), null, in.get(2), in.get(3), 0.1f);
        Adafactor.apply(tape.device(), List.of(slot), new Adafactor.Settings(1e-2, true, -0.8, 1, third(tape)));
        return List.of(in.get(0), in.get(2), in.get(3));
    }

    /** The third update of one parameter. */
    private static Updates third(io.mixt5.engine.Tape tape) {
        return new Updates(tape.scope().floats(Shape.of(1), new float[]{2}, "counts"), null, 0);
    }

    @TestFactory
    Stream<DynamicTest> equalsTheReference() {
        return cases().stream().map(testCase -> DynamicTest.dynamicTest(testCase.name(), () -> {
            CaseRun expected = CaseRun.of(testCase, Device.uncached(new ReferenceBackend()), DType.F32, 1);
            CaseRun actual = CaseRun.of(testCase, Device.uncached(new GuardedBackend(new CpuBackend())), DType.F32, 1);
            compare(expected.outputs, actual.outputs, testCase.tolerance());
            compare(expected.gradients, actual.gradients, testCase.tolerance());
        }));
    }

    @TestFactory
    Stream<DynamicTest> doesNotDependOnTheNumberOfThreads() {
        return cases().stream().map(testCase -> DynamicTest.dynamicTest(testCase.name(), () -> {
            Device device = Device.uncached(new CpuBackend());
            CaseRun parallel = CaseRun.of(testCase, device, DType.F32, 2);
            CaseRun[] serial = new CaseRun[1];
            // Within a task of the pool all work is done by the thread that has the task.
            WorkerPool.forEach(1, (task, worker) -> serial[0] = CaseRun.of(testCase, device, DType.F32, 2));
            for (int i = 0; i < parallel.outputs.size(); i++) {
                assertArrayEquals(parallel.outputs.get(i), serial[0].outputs.get(i), "output " + i);
            }
            for (int i = 0; i < parallel.gradients.size(); i++) {
                assertArrayEquals(parallel.gradients.get(i), serial[0].gradients.get(i), "gradient " + i);
            }
        }));
    }

    private static void compare(List<double[]> expected, List<double[]> actual, double tolerance) {
        for (int i = 0; i < expected.size(); i++) {
            if (expected.get(i) != null) {
                double largest = 0;
                for (double value : expected.get(i)) {
                    largest = Math.max(largest, Math.abs(value));
                }
                assertArrayEquals(expected.get(i), actual.get(i), tolerance * largest, "tensor " + i);
            } else {
                assertEquals(expected.get(i), actual.get(i));
            }
        }
    }
}
