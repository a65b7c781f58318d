package io.mixt5.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.mixt5.engine.Device;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.model.ModelGoldens;
import io.mixt5.model.Precision;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Model;
import io.mixt5.train.optim.AdafactorOptimizer;
import io.mixt5.train.optim.AdamWOptimizer;
import io.mixt5.train.optim.Optimizer;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;

/** The five losses of a model, updated after each, against those of PyTorch's optimisers. */
final class LossGoldens {
    /** Where the losses with Adafactor are, if they are. */
    static final String ADAFACTOR = "adafactor_losses_lr1e-2_scaled";
    private static final DoubleUnaryOperator CLOSE = loss -> 1e-4;

    private LossGoldens() {
    }

    static void checkAdamW(ModelGoldens goldens, Device device) {
        checkAdamW(goldens, device, Precision.FP32, CLOSE);
    }

    /** @param tolerance how far off a loss may be */
    static void checkAdamW(ModelGoldens goldens, Device device, Precision precision, DoubleUnaryOperator tolerance) {
        JsonNode losses = goldens.json.has("adamw_losses_lr1e3_wd001")
                ? goldens.json.get("adamw_losses_lr1e3_wd001")
                : goldens.json.get("adamw_losses_lr1e-3_wd0.01");
        check(goldens, device, precision, losses, tolerance, 1e-3,
                model -> new AdamWOptimizer(model.parameters().all(), p -> 0.01, 0.9, 0.999, 1e-8));
    }

    static void checkAdafactor(ModelGoldens goldens, Device device) {
        check(goldens, device, Precision.FP32, goldens.json.get(ADAFACTOR), CLOSE, 1e-2,
                model -> new AdafactorOptimizer(model.parameters().all(), p -> 0));
    }

    private static void check(ModelGoldens goldens, Device device, Precision precision, JsonNode losses,
            DoubleUnaryOperator tolerance, double learningRate, Function<T5Model, Optimizer> make) {
        assertEquals(5, losses.size());
        try (T5Model model = T5Model.load(goldens.directory(), device).compute(precision);
                Optimizer optimizer = make.apply(model)) {
            T5Batch batch = goldens.batch(model.config());
            for (JsonNode expected : losses) {
                try (Scope scope = new Scope(device)) {
                    model.parameters().clearGradients();
                    Tape tape = Tape.recording(scope);
                    Tensor loss = model.forward(tape, batch).loss();
                    assertEquals(expected.asDouble(), loss.toFloats()[0], tolerance.applyAsDouble(expected.asDouble()),
                            "loss " + expected);
                    tape.backward(loss);
                    optimizer.step(learningRate, null, 0);
                }
            }
        }
    }
}
