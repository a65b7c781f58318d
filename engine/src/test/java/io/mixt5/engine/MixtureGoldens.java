package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.op.Combine;
import io.mixt5.engine.op.Dispatch;
import io.mixt5.engine.op.GroupedLinear;
import io.mixt5.engine.op.Linear;
import io.mixt5.engine.op.Route;
import io.mixt5.engine.op.Routing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** A router with linear experts, compared with PyTorch's loop over the experts: places, results, losses, gradients. */
final class MixtureGoldens {
    private static final double TOLERANCE = 5e-6;

    private MixtureGoldens() {
    }

    static void check(Golden golden, Scope scope) {
        Tensor x = floats(golden, scope, "x").requireGrad();
        Tensor router = floats(golden, scope, "router").requireGrad();
        List<Tensor> matrices = matrices(golden, scope);
        int[] valid = golden.ints("valid");
        boolean padding = Arrays.stream(valid).anyMatch(v -> v == 0);
        Tape tape = Tape.recording(scope);
        Routing routing = Route.apply(tape, Linear.apply(tape, x, router),
                padding ? scope.ints(valid, "valid") : null, spec(golden));
        checkRouting(golden, routing);
        Tensor rows = GroupedLinear.apply(tape, Dispatch.apply(tape, x, routing), matrices, routing.offsets());
        Tensor y = Combine.apply(tape, rows, routing);
        BackendGoldens.close("y", golden.floats("y"), y.toFloats(), TOLERANCE);
        tape.backward(new Tensor[]{y, routing.balance(), routing.z()}, new Tensor[]{floats(golden, scope, "dy"),
                floats(golden, scope, "dbalance"), floats(golden, scope, "dz")});
        BackendGoldens.close("gradient of x", golden.floats("grad.x"), x.grad().toFloats(), TOLERANCE);
        BackendGoldens.close("gradient of router", golden.floats("grad.router"), router.grad().toFloats(), TOLERANCE);
        float[] gradients = golden.floats("grad.matrices");
        for (int e = 0; e < matrices.size(); e++) {
            int size = (int) matrices.get(e).count();
            BackendGoldens.close("gradient of matrix " + e, Arrays.copyOfRange(gradients, e * size, (e + 1) * size),
                    matrices.get(e).grad() == null ? new float[size] : matrices.get(e).grad().toFloats(), TOLERANCE);
        }
    }

    private static Route.Spec spec(Golden golden) {
        String gate = golden.attribute("gate").asText().toUpperCase(Locale.ROOT);
        String policy = golden.attribute("policy").asText().toUpperCase(Locale.ROOT);
        return new Route.Spec(golden.attribute("top_k").asInt(), Route.Gate.valueOf(gate), Route.Policy.valueOf(policy),
                golden.attribute("capacity_factor").asDouble(), 0, golden.ints("groups"), null);
    }

    private static void checkRouting(Golden golden, Routing routing) {
        assertArrayEquals(golden.ints("experts"), routing.experts().toInts(), "experts");
        assertArrayEquals(golden.ints("slots"), routing.slots().toInts(), "slots");
        assertArrayEquals(golden.ints("counts"), routing.counts().toInts(), "counts");
        BackendGoldens.close("weights", golden.floats("weights"), routing.weights().toFloats(), TOLERANCE);
        BackendGoldens.close("balance", golden.floats("balance"), routing.balance().toFloats(), TOLERANCE);
        BackendGoldens.close("z", golden.floats("z"), routing.z().toFloats(), TOLERANCE);
        float[] expected = golden.floats("stats");
        float[] stats = routing.stats().toFloats();
        assertEquals(expected[0], stats[Routing.TOKENS], "tokens");
        assertEquals(expected[1], stats[Routing.DROPPED], "dropped");
        assertEquals(expected[2], stats[Routing.ENTROPY], TOLERANCE, "entropy");
        assertEquals(expected[3], stats[Routing.GATE], TOLERANCE, "gate");
    }

    private static Tensor floats(Golden golden, Scope scope, String role) {
        return scope.floats(golden.shape(role), golden.floats(role), role);
    }

    private static List<Tensor> matrices(Golden golden, Scope scope) {
        Shape all = golden.shape("matrices");
        Shape one = Shape.of(all.dim(1), all.dim(2));
        float[] values = golden.floats("matrices");
        List<Tensor> matrices = new ArrayList<>();
        for (int from = 0; from < values.length; from += (int) one.count()) {
            matrices.add(scope.floats(one, Arrays.copyOfRange(values, from, from + (int) one.count()), "matrix")
                    .requireGrad());
        }
        return matrices;
    }
}
