package io.mixt5.train.run;

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
    private List<RoutingFigures> routing = List.of();

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
     */
    Update update(int step, List<List<TextPair>> microBatches) {
        double loss = 0;
        long tokens = 0;
        model.parameters().clearGradients();
        for (int i = 0; i < microBatches.size(); i++) {
            T5Batch batch = batch(microBatches.get(i));
            int noise = step * config.gradientAccumulationSteps + i;
            loss += pass(batch, noise, microBatches.size()) / microBatches.size();
            tokens += batch.source().ids().length + batch.labels().length;
        }
        if (!Double.isFinite(loss)) {
            throw new UserException("the loss became " + loss + " in step " + (step + 1) + " (examples "
                    + microBatches.getFirst().stream().map(TextPair::id).limit(3).toList()
                    + " and others); try a smaller learning_rate or a longer warm-up"
                    + (lossScale == null ? "" : ", or precision bf16, whose range is that of fp32"));
        }
        try (Scope scope = new Scope(model.device())) {
            List<Tensor> gradients = model.parameters().gradients();
            if (lossScale != null) {
                gradients.forEach(gradient -> Scale.inPlace(gradient, lossScale.inverse()));
            }
            Tensor norm = GradNorm.apply(scope, gradients);
            double rate = schedule.rate(step);
            if (usable(norm)) {
                optimizer.step(rate, norm, config.maxGradNorm);
            }
            return new Update(loss, norm.toFloats()[0], rate, tokens, routing);
        }
    }

    /** Whether gradients of this norm may be used; counts the step in the loss scale, where there is one. */
    private boolean usable(Tensor norm) {
        if (lossScale == null) {
            return true;
        }
        boolean finite = Float.isFinite(norm.toFloats()[0]);
        lossScale = lossScale.after(finite);
        return finite;
    }

    private double pass(T5Batch batch, int noise, int passes) {
        try (Scope scope = new Scope(model.device())) {
            Tape tape = Tape.training(scope, config.seed, noise);
            T5Model.Output output = model.forward(tape, batch);
            tape.backward(output.loss(), (lossScale == null ? 1 : lossScale.scale()) / passes);
            routing = output.routing().figures();
            return output.loss().toFloats()[0];
        }
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
