package io.mixt5.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.CaseRun;
import io.mixt5.engine.DType;
import io.mixt5.engine.Device;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Philox;
import io.mixt5.engine.RandomStream;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tape;
import io.mixt5.engine.op.Route;
import io.mixt5.engine.op.Route.Gate;
import io.mixt5.engine.op.Route.Policy;
import io.mixt5.engine.op.Route.Spec;
import io.mixt5.engine.op.Routing;
import io.mixt5.engine.reference.ReferenceBackend;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The router at sizes of several chunks, of more waiting tokens than shared memory holds, and of many experts. */
class CudaRouteTest {
    private static List<OpCase> cases() {
        int[] sequences = {300, 0, 257, 113, 30};
        RandomStream stream = new RandomStream(8, 2, 1);
        return List.of(
                routing("capacity by sequence", 1, new Spec(3, Gate.RENORMALIZED, Policy.CAPACITY, 0.9, 0, sequences,
                        null), 700, 20),
                routing("drawn", 1, new Spec(2, Gate.RAW, Policy.DROPLESS, 0, 0, null, stream), 600, 40),
                // More than AHEAD experts are tried one after another.
                routing("no token left behind, drawn", 4, new Spec(3, Gate.RENORMALIZED, Policy.NO_TOKEN_LEFT_BEHIND,
                        0.8, 0, sequences, stream), 700, 30),
                routing("no token left behind, many waiting", 20, new Spec(1, Gate.RAW, Policy.NO_TOKEN_LEFT_BEHIND, 1,
                        0, null, null), 2900, 4),
                routing("no token left behind, eight choices", 4, new Spec(8, Gate.RENORMALIZED,
                        Policy.NO_TOKEN_LEFT_BEHIND, 0.7, 1, null, null), 300, 40),
                routing("300 experts", 1, new Spec(2, Gate.RENORMALIZED, Policy.NO_TOKEN_LEFT_BEHIND, 1, 0, null, null),
                        300, 300),
                routing("1000 experts", 1, new Spec(8, Gate.RAW, Policy.CAPACITY, 1, 0, null, null), 70, 1000));
    }

    /** A quarter of the experts is favoured. */
    private static OpCase routing(String name, double favour, Spec spec, long tokens, long experts) {
        OpCase.Fill fill = (stream, i) -> Philox.normal(7, stream, 0, i) + (i % experts <= experts / 4 ? favour : 0);
        return OpCase.named(name).input("logits", fill, tokens, experts).run((tape, in) -> {
            Routing routing = Route.apply(tape, in.get(0), null, spec);
            return List.of(routing.weights(), routing.balance(), routing.z(), routing.experts(), routing.slots(),
                    routing.tokens(), routing.offsets(), routing.counts(), routing.stats());
        });
    }

    @TestFactory
    Stream<DynamicTest> equalsTheReference() {
        return cases().stream().map(routing -> DynamicTest.dynamicTest(routing.name(), () -> {
            CaseRun expected = CaseRun.of(routing, Device.uncached(new ReferenceBackend()), DType.F32, 1);
            CaseRun actual = CaseRun.of(routing, Device.uncached(CudaDevices.backend()), DType.F32, 1);
            assertEquals(expected.outputs.size(), actual.outputs.size());
            for (int i = 0; i < expected.outputs.size(); i++) {
                compare(expected.outputs.get(i), actual.outputs.get(i), "result " + i);
            }
            compare(expected.gradients.getFirst(), actual.gradients.getFirst(), "gradient");
        }));
    }

    /** Places and experts are whole numbers up to some thousands, which this tells apart. */
    private static void compare(double[] expected, double[] actual, String what) {
        double largest = Arrays.stream(expected).map(Math::abs).max().orElse(0);
        assertArrayEquals(expected, actual, 2e-5 * largest + 1e-30, what);
    }

    @Test
    void moreExpertsThanABlockHasRoomForAreRefused() {
        try (Scope scope = new Scope(Device.uncached(CudaDevices.backend()))) {
            var logits = scope.zeros(DType.F32, Shape.of(2, 5000), "logits");
            String message = assertThrows(IllegalArgumentException.class, () -> Route.apply(Tape.inference(scope),
                    logits, null, Spec.dropless(1, Gate.RAW))).getMessage();
            assertTrue(message.contains("5000 experts"), message);
        }
    }
}
