package io.mixt5.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.mixt5.engine.Device;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GradNorm;
import io.mixt5.model.ModelGoldens;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Model;
import io.mixt5.train.optim.AdamWOptimizer;
import io.mixt5.train.optim.Optimizer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Steps with all noise on give the CPU's losses: masks and jitter are functions of seed, site, step and element. */
class CudaTrainingTest {
    private static final int STEPS = 4;
    private static final String NOISE = "'dropout_rate': 0.1, 'expert_dropout_rate': 0.4, 'exploration': 'input_jitter',"
            + " 'router_jitter_noise': 0.1, 'capacity_policy': 'capacity', 'capacity_factor': 1.0";

    @TempDir
    Path directory;

    @Test
    void lossesWithDropoutAndJitterAreThoseOfTheCpu() {
        ModelGoldens goldens = ModelGoldens.ofProject("tiny-moe-top1", directory);
        ModelGoldens noisy = ModelGoldens.copy(goldens.directory(), directory.resolve("noisy"), NOISE);
        double[] expected = losses(noisy, Device.of("cpu"), true);
        double[] actual = losses(noisy, Device.of(CudaTestDevice.NAME), true);
        for (int step = 0; step < STEPS; step++) {
            assertEquals(expected[step], actual[step], 1e-4 * Math.abs(expected[step]), "step " + step);
        }
        assertNotEquals(losses(noisy, Device.of("cpu"), false)[0], expected[0], 1e-3, "the noise was not on");
    }

    private static double[] losses(ModelGoldens goldens, Device device, boolean noise) {
        double[] losses = new double[STEPS];
        try (T5Model model = T5Model.load(goldens.directory(), device);
                Optimizer optimizer = new AdamWOptimizer(model.parameters().all(), p -> 0.01, 0.9, 0.999, 1e-8)) {
            T5Batch batch = goldens.batch(model.config());
            for (int step = 0; step < STEPS; step++) {
                try (Scope scope = new Scope(device)) {
                    model.parameters().clearGradients();
                    Tape tape = noise ? Tape.training(scope, 42, step) : Tape.recording(scope);
                    Tensor loss = model.forward(tape, batch).loss();
                    tape.backward(loss);
                    Tensor norm = GradNorm.apply(scope, model.parameters().gradients());
                    optimizer.step(1e-3, norm, 1);
                    losses[step] = loss.toFloats()[0];
                }
            }
        }
        assertEquals(0, device.liveTensors(), "tensors that were not closed");
        return losses;
    }
}
