package io.mixt5.train.run;

import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.UserException;
import io.mixt5.engine.op.GradNorm;
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
    private List<RoutingFigures> routing = List.of();

    /**
     * What an update did.
     *
     * @param loss mean over the micro-batches
     * @param norm of the gradients, before clipping
     * @param learningRate that was used
     * @param tokens of sources and targets
     * @param routing what the mixtures did with the last micro-batch
     */
    record Update(double loss, double norm, double learningRate, long tokens, List<RoutingFigures> routing) {
    }

    Trainer(T5Model model, Optimizer optimizer, Schedule schedule, TrainConfig config) {
        this.model = model;
        this.optimizer = optimizer;
        this.schedule = schedule;
        this.config = config;
    }

    /** Update number {@code step}, counted from 0, from these micro-batches. */
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
                    + " and others); try a smaller learning_rate or a longer warm-up");
        }
        try (Scope scope = new Scope(model.device())) {
            List<Tensor> gradients = model.parameters().gradients();
            Tensor norm = GradNorm.apply(scope, gradients);
            double rate = schedule.rate(step);
            optimizer.step(rate, norm, config.maxGradNorm);
            return new Update(loss, norm.toFloats()[0], rate, tokens, routing);
        }
    }

    private double pass(T5Batch batch, int noise, int passes) {
        try (Scope scope = new Scope(model.device())) {
            Tape tape = Tape.training(scope, config.seed, noise);
            T5Model.Output output = model.forward(tape, batch);
            tape.backward(output.loss(), 1.0 / passes);
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
