package io.mixt5.bench;

import io.mixt5.engine.Device;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.GradNorm;
import io.mixt5.model.MixtureConfig;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Config;
import io.mixt5.model.T5Model;
import io.mixt5.train.optim.AdamWOptimizer;
import io.mixt5.train.optim.Optimizer;
import java.util.List;

/**
 * Whole training steps to be timed: random weights, forward with dropout, backward, clipping to norm 1 and
 * AdamW.
 */
final class TrainingWork implements AutoCloseable {
    private final T5Model model;
    private final Optimizer optimizer;
    private final List<T5Batch> batches;
    private int steps;

    /** A model of that shape, and what its steps go through in turn. */
    TrainingWork(T5Config config, Device device, List<T5Batch> batches) {
        model = T5Model.random(config, device, RandomData.SEED);
        optimizer = new AdamWOptimizer(model.parameters().all(), p -> 0.01, 0.9, 0.999, 1e-8);
        this.batches = batches;
    }

    /** A model's shape, dense (0 experts) or with experts in the last half of its blocks. */
    static T5Config config(T5Config config, int experts, int topK) {
        if (experts == 0) {
            return config;
        }
        MixtureConfig mixture = new MixtureConfig();
        mixture.activateMoe = true;
        mixture.numLocalExperts = experts;
        mixture.numExpertsPerTok = topK;
        mixture.numMoeLayers = config.numLayers / 2;
        return config.with(mixture);
    }

    /** Takes a step and returns its loss. */
    double step() {
        try (Scope scope = new Scope(model.device())) {
            model.parameters().clearGradients();
            Tape tape = Tape.training(scope, RandomData.SEED, steps);
            Tensor loss = model.forward(tape, batches.get(steps++ % batches.size())).loss();
            tape.backward(loss);
            List<Tensor> gradients = model.parameters().gradients();
            optimizer.step(1e-5, GradNorm.apply(scope, gradients), 1);
            return loss.toFloats()[0];
        }
    }

    /** What is trained. */
    T5Model model() {
        return model;
    }

    @Override
    public void close() {
        optimizer.close();
        model.close();
    }
}
