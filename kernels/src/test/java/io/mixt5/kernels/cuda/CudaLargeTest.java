package io.mixt5.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.CaseRun;
import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Philox;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Adafactor;
import io.mixt5.engine.op.AdamW;
import io.mixt5.engine.op.CrossEntropy;
import io.mixt5.engine.op.GradNorm;
import io.mixt5.engine.op.Updates;
import io.mixt5.engine.reference.ReferenceBackend;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Sizes of several blocks and stripes, and lists of parameters, which the ops' own cases do not reach. */
class CudaLargeTest {
    private static final OpCase.Fill NORMAL = (stream, index) -> Philox.normal(1, stream, 0, index);
    private static final OpCase.Fill POSITIVE = (stream, index) -> 0.01 + Math.abs(NORMAL.value(stream, index));

    private static List<OpCase> cases() {
        return List.of(
                OpCase.named("cross_entropy").input("logits", 5.0, 3, 32128).ints("labels", 0, -100, 32127)
                        .run((tape, in) -> List.of(CrossEntropy.apply(tape, in.get(0), in.get(1)))),
                OpCase.named("cross_entropy, many rows").input("logits", 5.0, 300, 7)
                        .ints("labels", java.util.stream.IntStream.range(0, 300).map(i -> i % 9 < 7 ? i % 7 : -100)
                                .toArray())
                        .run((tape, in) -> List.of(CrossEntropy.apply(tape, in.get(0), in.get(1)))),
                OpCase.named("grad_norm").constant("a", NORMAL, 3, 16384).constant("b", NORMAL, 1)
                        .constant("empty", NORMAL, 0).constant("c", NORMAL, 16385)
                        .run((tape, in) -> List.of(GradNorm.apply(tape.scope(), in))),
                adamW(), adafactor());
    }

    /** The first of two parameters takes more than a block, the second less. */
    private static OpCase adamW() {
        OpCase.Builder builder = OpCase.named("adamw");
        for (long count : new long[]{8195, 77}) {
            builder.constant("w", NORMAL, count).constant("g", NORMAL, count).constant("m", NORMAL, count)
                    .constant("v", POSITIVE, count);
        }
        return builder.run((tape, in) -> {
            Updates updates = updates(tape, 4, GradNorm.apply(tape.scope(), in.subList(1, 2)), 1);
            AdamW.apply(tape.device(),
                    List.of(new AdamW.Slot(3, in.get(0), in.get(1), null, in.get(2), in.get(3), 0.1f),
                            new AdamW.Slot(0, in.get(4), in.get(5), null, in.get(6), in.get(7), 0)),
                    new AdamW.Settings(1e-2, 0.9, 0.999, 1e-8, updates));
            return in;
        });
    }

    /** Matrices of more and of fewer rows than a stripe, with vectors before, between and behind them. */
    private static OpCase adafactor() {
        OpCase.Builder builder = OpCase.named("adafactor").tolerance(5e-5);
        long[][] shapes = {{5}, {1025, 37}, {300}, {3, 70}, {1}};
        for (long[] shape : shapes) {
            builder.constant("w", NORMAL, shape).constant("g", NORMAL, shape).constant("rows", POSITIVE, shape[0]);
            builder.constant("columns", POSITIVE, shape.length == 1 ? 1 : shape[1]);
        }
        return builder.run((tape, in) -> adafactor(tape, in, shapes));
    }

    private static List<Tensor> adafactor(Tape tape, List<Tensor> in, long[][] shapes) {
        List<Adafactor.Slot> slots = new java.util.ArrayList<>();
        for (int i = 0; i < shapes.length; i++) {
            slots.add(new Adafactor.Slot(i, in.get(4 * i), in.get(4 * i + 1),
                    i == 2 ? tape.scope().ints(new int[1], "no rows") : null, in.get(4 * i + 2),
                    shapes[i].length == 1 ? null : in.get(4 * i + 3), 0.1f * i));
        }
        Adafactor.apply(tape.device(), slots,
                new Adafactor.Settings(1e-2, true, -0.8, 1, updates(tape, shapes.length, null, 0)));
        return in;
    }

    /** Parameter i has had i updates. */
    private static Updates updates(Tape tape, int parameters, Tensor norm, double maxNorm) {
        float[] counts = new float[parameters];
        for (int i = 0; i < parameters; i++) {
            counts[i] = i;
        }
        return new Updates(tape.scope().floats(Shape.of(parameters), counts, "counts"), norm, maxNorm);
    }

    @TestFactory
    Stream<DynamicTest> equalsTheReference() {
        return cases().stream().map(testCase -> DynamicTest.dynamicTest(testCase.name(), () -> {
            CaseRun expected = CaseRun.of(testCase, Device.uncached(new ReferenceBackend()), DType.F32, 1);
            CaseRun actual = CaseRun.of(testCase, Device.uncached(CudaDevices.backend()), DType.F32, 1);
            CaseRun again = CaseRun.of(testCase, Device.uncached(CudaDevices.backend()), DType.F32, 1);
            compare(expected.outputs, actual.outputs, again.outputs, testCase.tolerance());
            compare(expected.gradients, actual.gradients, again.gradients, testCase.tolerance());
        }));
    }

    private static void compare(List<double[]> expected, List<double[]> actual, List<double[]> again,
            double tolerance) {
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            if (expected.get(i) == null) {
                continue;
            }
            double largest = Arrays.stream(expected.get(i)).map(Math::abs).max().orElse(0);
            assertArrayEquals(expected.get(i), actual.get(i), tolerance * largest + 1e-30, "result " + i);
            assertArrayEquals(actual.get(i), again.get(i), "result " + i + ", run again");
        }
    }
}
