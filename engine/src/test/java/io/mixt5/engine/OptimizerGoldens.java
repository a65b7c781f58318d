package io.mixt5.engine;

import com.fasterxml.jackson.databind.JsonNode;
import io.mixt5.engine.op.AdamW;
import io.mixt5.engine.op.Adafactor;
import io.mixt5.engine.op.Updates;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assertions;

/** Several updates of three parameters, compared after each with PyTorch's or transformers' optimiser. */
final class OptimizerGoldens {
    private static final List<String> PARAMETERS = List.of("matrix", "vector", "small");
    /** Of weights: a few roundings, so that an update of a hundredth of a weight is held to 1e-4 of itself. */
    private static final double WEIGHTS = 5e-7;
    private static final double MOMENTS = 2e-6;
    /** Of second moments element by element, being sums of squares. */
    private static final double SQUARES = 1e-5;

    private OptimizerGoldens() {
    }

    static void adamW(Golden golden, Scope scope) {
        double beta1 = golden.attribute("betas").get(0).asDouble();
        double beta2 = golden.attribute("betas").get(1).asDouble();
        float decay = (float) golden.attribute("weight_decay").asDouble();
        List<AdamW.Slot> slots = new ArrayList<>();
        for (String parameter : PARAMETERS) {
            slots.add(new AdamW.Slot(slots.size(), weight(golden, scope, parameter), zeros(golden, scope, parameter),
                    null, zeros(golden, scope, parameter), zeros(golden, scope, parameter), decay));
        }
        Updates updates = new Updates(scope.zeros(DType.F32, Shape.of(slots.size()), "counts"), null, 0);
        for (int step = 1; step <= golden.attribute("steps").asInt(); step++) {
            for (int i = 0; i < slots.size(); i++) {
                slots.get(i).gradient().upload(golden.floats(PARAMETERS.get(i) + ".g" + step));
            }
            AdamW.apply(scope.device(), slots, new AdamW.Settings(golden.attribute("lr").asDouble(), beta1, beta2,
                    golden.attribute("eps").asDouble(), updates));
            for (int i = 0; i < slots.size(); i++) {
                checkWeight(golden, PARAMETERS.get(i), step, slots.get(i).weight());
            }
        }
        for (int i = 0; i < slots.size(); i++) {
            String parameter = PARAMETERS.get(i);
            BackendGoldens.close(parameter + ".m", golden.floats(parameter + ".exp_avg"), slots.get(i).m().toFloats(),
                    MOMENTS);
            checkSquares(golden, parameter + ".exp_avg_sq", slots.get(i).v());
        }
    }

    static void adafactor(Golden golden, Scope scope) {
        Assertions.assertEquals(Adafactor.EPS1, golden.attribute("eps").get(0).asDouble());
        Assertions.assertEquals(Adafactor.EPS2, golden.attribute("eps").get(1).asDouble());
        float decay = (float) golden.attribute("weight_decay").asDouble();
        List<Adafactor.Slot> slots = new ArrayList<>();
        for (String parameter : PARAMETERS) {
            Shape shape = golden.shape(parameter + ".p0");
            boolean matrix = shape.rank() == 2;
            Shape rows = matrix ? Shape.of(shape.dim(0)) : shape;
            slots.add(new Adafactor.Slot(slots.size(), weight(golden, scope, parameter),
                    zeros(golden, scope, parameter), null, scope.zeros(DType.F32, rows, "rows"),
                    matrix ? scope.zeros(DType.F32, Shape.of(shape.dim(1)), "columns") : null, decay));
        }
        Updates updates = new Updates(scope.zeros(DType.F32, Shape.of(slots.size()), "counts"), null, 0);
        for (int step = 1; step <= golden.attribute("steps").asInt(); step++) {
            for (int i = 0; i < slots.size(); i++) {
                slots.get(i).gradient().upload(golden.floats(PARAMETERS.get(i) + ".g" + step));
            }
            Adafactor.apply(scope.device(), slots,
                    new Adafactor.Settings(rate(golden, step), golden.attribute("scale_parameter").asBoolean(),
                            golden.attribute("decay_rate").asDouble(), golden.attribute("clip_threshold").asDouble(),
                            updates));
            for (int i = 0; i < slots.size(); i++) {
                checkWeight(golden, PARAMETERS.get(i), step, slots.get(i).weight());
            }
        }
        for (int i = 0; i < slots.size(); i++) {
            Adafactor.Slot slot = slots.get(i);
            String state = PARAMETERS.get(i) + ".exp_avg_sq";
            checkSquares(golden, slot.columns() == null ? state : state + "_row", slot.rows());
            if (slot.columns() != null) {
                checkSquares(golden, state + "_col", slot.columns());
            }
        }
    }

    /** The fixed rate or, as transformers has it, T5's relative step: at most 1e-2, or 1e-6 a step when warming up. */
    private static double rate(Golden golden, int step) {
        JsonNode fixed = golden.attribute("lr");
        if (!fixed.isNull()) {
            return fixed.asDouble();
        }
        double largest = golden.attribute("warmup_init").asBoolean() ? 1e-6 * step : 1e-2;
        return Math.min(largest, 1 / Math.sqrt(step));
    }

    private static Tensor weight(Golden golden, Scope scope, String parameter) {
        return scope.floats(golden.shape(parameter + ".p0"), golden.floats(parameter + ".p0"), parameter);
    }

    private static Tensor zeros(Golden golden, Scope scope, String parameter) {
        return scope.zeros(DType.F32, golden.shape(parameter + ".p0"), parameter);
    }

    private static void checkWeight(Golden golden, String parameter, int step, Tensor weight) {
        BackendGoldens.close(parameter + " after step " + step, golden.floats(parameter + ".p" + step),
                weight.toFloats(), WEIGHTS);
    }

    private static void checkSquares(Golden golden, String role, Tensor moment) {
        float[] expected = golden.floats(role);
        float[] actual = moment.toFloats();
        Assertions.assertEquals(expected.length, actual.length, role);
        for (int i = 0; i < expected.length; i++) {
            Assertions.assertEquals(expected[i], actual[i], SQUARES * expected[i], role + " element " + i);
        }
    }
}
