package io.mixt5.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.CaseRun;
import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Philox;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Combine;
import io.mixt5.engine.op.Dispatch;
import io.mixt5.engine.op.Route;
import io.mixt5.kernels.emulator.Emulator;
import io.mixt5.kernels.emulator.EmulatorSettings;
import io.mixt5.kernels.emulator.counters.Counters;
import io.mixt5.kernels.emulator.counters.KernelCounters;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Dispatch and combine move hardly more than they must, and in whole sectors; so does the router, but for the sectors,
 * at sizes where a block's own tables are little beside its tokens.
 */
class CudaRoutedTrafficTest {
    private static final int TOKENS = 40;
    private static final int WIDTH = 512;
    private static final double MOST = 1.15;

    @TestFactory
    Stream<DynamicTest> bytesMovedAreFew() {
        return Stream.of(DType.F32, DType.F16, DType.BF16).flatMap(dtype -> IntStream.of(1, 2)
                .mapToObj(choices -> DynamicTest.dynamicTest(dtype + ", top-" + choices, () -> run(dtype, choices))));
    }

    private static void run(DType dtype, int choices) {
        Counters counters = new Counters();
        CudaBackend backend = new CudaBackend("counted",
                () -> new Emulator(EmulatorSettings.DEFAULT.withMonitor(counters)), 0);
        try (Scope scope = new Scope(Device.uncached(backend))) {
            int rows = TOKENS * choices;
            // All first choices go to one expert, all second ones to another.
            int[] places = IntStream.range(0, rows).map(entry -> entry % choices * TOKENS + entry / choices).toArray();
            int[] owners = IntStream.range(0, rows).map(row -> row % TOKENS).toArray();
            Tensor slots = scope.allocate(DType.I32, Shape.of(TOKENS, choices), "slots").upload(places);
            Tensor tokens = scope.ints(owners, "tokens");
            Tensor unused = scope.ints(IntStream.range(0, rows).map(row -> -1).toArray(), "no tokens");
            Tensor x = scope.zeros(dtype, Shape.of(TOKENS, WIDTH), "x");
            Tensor y = scope.zeros(dtype, Shape.of(rows, WIDTH), "y");
            Tensor weights = scope.zeros(DType.F32, Shape.of(TOKENS, choices), "weights");
            Tensor dx = scope.zeros(dtype, Shape.of(rows, WIDTH), "dx");
            Tensor dweights = scope.zeros(DType.F32, Shape.of(TOKENS, choices), "dweights");
            Dispatch.Kernel dispatch = backend.kernel(Dispatch.Kernel.class);
            Combine.Kernel combine = backend.kernel(Combine.Kernel.class);
            counters.clear();
            dispatch.forward(x, slots, tokens, y);
            dispatch.backward(y, slots, new Target(x, false));
            combine.forward(y, weights, slots, x);
            combine.backward(x, y, weights, slots, unused, new Target(dx, false), new Target(dweights, false));
            backend.gpu().synchronize();
        }
        Map<String, KernelCounters> kernels = counters.kernels();
        assertEquals(5, kernels.size(), kernels::toString);
        kernels.forEach((kernel, counted) -> {
            double ratio = counted.global().movedOverLeast();
            assertTrue(ratio <= MOST, kernel + " moves " + ratio + " times what it must");
            double coalescing = counted.global().coalescing();
            assertTrue(coalescing > 0.99, kernel + " coalesces " + coalescing);
        });
    }

    @TestFactory
    Stream<DynamicTest> routingMovesFewBytes() {
        return IntStream.of(1, 8, 24, 64, 128).boxed().flatMap(experts -> IntStream.of(1, 2).boxed()
                .filter(k -> k <= experts).flatMap(k -> Stream.of(Route.Policy.values())
                        .map(policy -> DynamicTest.dynamicTest(experts + " experts, top-" + k + ", " + policy,
                                () -> route(experts,
                                        new Route.Spec(k, Route.Gate.RAW, policy, 1.25, 0, null, null))))));
    }

    /** Expert 0 is wanted more than it has places. */
    private static void route(int experts, Route.Spec spec) {
        Counters counters = new Counters();
        CudaBackend backend = new CudaBackend("counted",
                () -> new Emulator(EmulatorSettings.DEFAULT.withMonitor(counters)), 0);
        int tokens = 2048;
        OpCase.Fill fill = (stream, i) -> Philox.normal(4, stream, 0, i) + (i % experts == 0 ? 1.5 : 0);
        OpCase routing = OpCase.named("route").input("logits", fill, tokens, experts)
                .run((tape, in) -> List.of(Route.apply(tape, in.get(0), null, spec).weights()));
        CaseRun.of(routing, Device.uncached(backend), DType.F32, 1);
        counters.kernels().forEach((kernel, counted) -> {
            double ratio = counted.global().movedOverLeast();
            assertTrue(ratio <= MOST, kernel + " moves " + ratio + " times what it must");
        });
    }
}
