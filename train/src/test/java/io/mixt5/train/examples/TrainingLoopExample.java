package io.mixt5.train.examples;

import io.mixt5.engine.Device;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GradNorm;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.train.optim.AdamWOptimizer;
import io.mixt5.train.optim.Optimizer;
import io.mixt5.train.optim.Schedule;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A training loop of one's own: a model of random weights learns which number comes next,
 * and is saved where the argument says.
 */
final class TrainingLoopExample {
    private static final int STEPS = 80;
    private static final long SEED = 42;

    private TrainingLoopExample() {
    }

    public static void main(String[] arguments) {
        T5Config config = T5Config.preset("tiny");
        config.vocabSize = 32;
        Schedule schedule = new Schedule(Schedule.Kind.LINEAR, 3e-3, 10, STEPS);
        try (T5Model model = T5Model.random(config, Device.of("cpu"), SEED);
                Optimizer optimizer = new AdamWOptimizer(model.parameters().all(), p -> p.isVector() ? 0 : 0.01, 0.9,
                        0.999, 1e-8)) {
            for (int step = 0; step < STEPS; step++) {
                float loss = step(model, optimizer, step, schedule.rate(step));
                if (step % 20 == 0 || step == STEPS - 1) {
                    System.out.println("step " + step + " loss " + loss);
                }
            }
            model.save(Path.of(arguments[0]));
        }
    }

    /** Gradients add up until they are cleared: several passes before {@code optimizer.step} make a larger batch. */
    private static float step(T5Model model, Optimizer optimizer, int step, double rate) {
        model.parameters().clearGradients();
        try (Scope scope = new Scope(model.device())) { // one a step: its memory is there again for the next
            Tape tape = Tape.training(scope, SEED, step); // seed and step decide dropout
            T5Model.Output output = model.forward(tape, batch(step, model.config()));
            tape.backward(output.loss());
            Tensor norm = GradNorm.apply(scope, model.parameters().gradients());
            optimizer.step(rate, norm, 1.0); // larger gradients are scaled down to a norm of 1
            return output.loss().toFloats()[0];
        }
    }

    /** Four numbers and those after them; 1 ends a text. */
    private static T5Batch batch(int step, T5Config config) {
        int from = 3 + 4 * (step % 4);
        List<int[]> sources = IntStream.range(from, from + 4).mapToObj(number -> new int[]{number, 1}).toList();
        List<int[]> labels = IntStream.range(from, from + 4).mapToObj(number -> new int[]{number + 1, 1}).toList();
        return T5Batch.of(sources, labels, config);
    }
}
