package io.mixt5.train.run;

import io.mixt5.engine.ReadBack;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.UserException;
import io.mixt5.engine.op.GradNorm;
import io.mixt5.engine.op.Scale;
import io.mixt5.model.RoutingFigures;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Model;
import io.mixt5.train.config.TrainConfig;
import io.mixt5.train.data.TextPair;
import io.mixt5.train.optim.Optimizer;
import io.mixt5.train.optim.Schedule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Makes one update of a model from some micro-batches. Deterministic: equal arguments, equal weights. */
final class Trainer {
    private final T5Model model;
    private final Optimizer optimizer;
    private final Schedule schedule;
    private final TrainConfig config;
    /** Null where the precision needs none. */
    private LossScale lossScale;

    /**
     * What an update did.
     *
     * @param loss mean over the micro-batches
     * @param norm of the gradients, before clipping; infinite or NaN when the update was skipped
     * @param learningRate that was used
     * @param tokens of sources and targets
     * @param routing what the mixtures did with the last micro-batch
     */
    record Update(double loss, double norm, double learningRate, long tokens, List<RoutingFigures> routing) {
    }

    /** @param saved the loss scale that an interrupted run goes on with; null to start anew */
    Trainer(T5Model model, Optimizer optimizer, Schedule schedule, TrainConfig config, LossScale saved) {
        if (model.precision().needsLossScale()) {
            lossScale = saved == null ? LossScale.start() : saved;
        }
        this.model = model;
        this.optimizer = optimizer;
        this.schedule = schedule;
        this.config = config;
    }

    /** The loss scale of the next update; null where the precision needs none. */
    LossScale lossScale() {
        return lossScale;
    }

    /**
     * Update number {@code step}, counted from 0, from these micro-batches. Where the loss is scaled and the gradients
     * overflow, the step and its learning rate pass, but weights and optimiser stay as they are.
     *
     * <p>Nothing is read from the device before the optimiser's work has been started there, which by itself leaves
     * everything as it is where the gradients cannot be used.
     */
    Update update(int step, List<List<TextPair>> microBatches) {
        model.parameters().clearGradients();
        try (Scope scope = new Scope(model.device())) {
            List<Tensor> results = new ArrayList<>();
            long tokens = 0;
            for (int i = 0; i < microBatches.size() - 1; i++) {
                try (Scope inner = scope.child()) {
                    T5Batch batch = batch(microBatches.get(i));
                    results.add(inner.keep(pass(inner, batch, noise(step, i), microBatches.size()).loss()));
                    tokens += tokens(batch);
                }
            }
            // What the last pass leaves lives on until its routing has been read.
            T5Batch batch = batch(microBatches.getLast());
            T5Model.Output last = pass(scope, batch, noise(step, microBatches.size() - 1), microBatches.size());
            results.add(last.loss());
            tokens += tokens(batch);
            List<Tensor> gradients = model.parameters().gradients();
            if (lossScale != null) {
                gradients.forEach(gradient -> Scale.inPlace(gradient, lossScale.inverse()));
            }
            Tensor norm = GradNorm.apply(scope, gradients);
            results.add(norm);
            double rate = schedule.rate(step);
            optimizer.step(rate, norm, config.maxGradNorm);
            return update(step, microBatches, ReadBack.of(results), rate, tokens, last.routing().figures());
        }
    }

    /** @param results the loss of each micro-batch, and the norm of the gradients */
    private Update update(int step, List<List<TextPair>> microBatches, List<double[]> results, double rate,
            long tokens, List<RoutingFigures> routing) {
        double norm = results.removeLast()[0];
        double loss = 0;
        for (double[] result : results) {
            loss += result[0] / results.size();
        }
        requireFinite("the loss", loss, step, microBatches);
        if (lossScale == null) {
            requireFinite("the norm of the gradients", norm, step, microBatches);
        } else {
            lossScale = lossScale.after(Double.isFinite(norm));
        }
        return new Update(loss, norm, rate, tokens, routing);
    }

    private void requireFinite(String what, double value, int step, List<List<TextPair>> microBatches) {
        if (!Double.isFinite(value)) {
            throw new UserException(what + " became " + value + " in step " + (step + 1) + " (examples "
                    + microBatches.getFirst().stream().map(TextPair::id).limit(3).toList()
                    + " and others); try a smaller learning_rate or a longer warm-up"
                    + (lossScale == null ? "" : ", or precision bf16, whose range is that of fp32"));
        }
    }

    /** The number that the noise of a micro-batch is drawn by. */
    private int noise(int step, int microBatch) {
        return step * config.gradientAccumulationSteps + microBatch;
    }

    private static long tokens(T5Batch batch) {
        return batch.source().ids().length + batch.labels().length;
    }

    private T5Model.Output pass(Scope scope, T5Batch batch, int noise, int passes) {
        Tape tape = Tape.training(scope, config.seed, noise);
        T5Model.Output output = model.forward(tape, batch);
        tape.backward(output.loss(), (lossScale == null ? 1 : lossScale.scale()) / passes);
        return output;
    }

    private T5Batch batch(List<TextPair> pairs) {
        List<int[]> targets = pairs.stream().map(TextPair::target).toList();
        if (config.labelPadding == TrainConfig.LabelPadding.PAD) {
            int longest = targets.stream().mapToInt(t -> t.length).max().orElse(0);
            targets = targets.stream().map(t -> padded(t, longest)).toList();
        }
        return T5Batch.of(pairs.stream().map(TextPair::source).toList(), targets, model.config());
    }

    private int[] padded(int[] target, int length) {
        int[] labels = Arrays.copyOf(target, length);
        Arrays.fill(labels, target.length, length, model.config().padTokenId);
        return labels;
    }
}
