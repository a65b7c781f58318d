package io.mixt5.train.run;

import io.mixt5.engine.Scope;
import io.mixt5.engine.Tape;
import io.mixt5.engine.TapeWatch;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.UserException;
import io.mixt5.engine.op.GradNorm;
import io.mixt5.engine.op.Scale;
import io.mixt5.model.RoutingFigures;
import io.mixt5.model.T5Batch;
import io.mixt5.model.T5Model;
import io.mixt5.train.config.TrainConfig;
import io.mixt5.train.config.TrainConfig.OnBadStep;
import io.mixt5.train.data.TextPair;
import io.mixt5.train.optim.Optimizer;
import io.mixt5.train.optim.Schedule;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Makes one update of a model from some micro-batches. Deterministic: equal arguments, equal weights. */
final class Trainer {
    /** So many bad steps in a row are no bad luck with the data. */
    static final int MOST_BAD_IN_A_ROW = 20;
    private static final String REMEDY = "; try a smaller learning_rate or a longer warm-up";

    private final T5Model model;
    private final Optimizer optimizer;
    private final Schedule schedule;
    private final TrainConfig config;
    /** Null where the precision needs none. */
    private LossScale lossScale;
    private List<RoutingFigures> routing = List.of();
    private int badInARow;
    /** Why a pass of the update under way came to no end; else null. */
    private String noLoss;

    /**
     * What an update did.
     *
     * @param loss mean over the micro-batches
     * @param norm of the gradients, before clipping; infinite or NaN when the update was skipped
     * @param learningRate that was used
     * @param tokens of sources and targets
     * @param routing what the mixtures did with the last micro-batch
     * @param fault why the step is bad, a sentence, when it was skipped for that; else null
     */
    record Update(double loss, double norm, double learningRate, long tokens, List<RoutingFigures> routing,
            String fault) {
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
     * overflow, the step and its learning rate pass, but weights and optimiser stay as they are. So they do after a bad
     * step, one whose loss or gradients cannot be used for another reason, if the configuration says to skip it.
     *
     * @throws UserException after a bad step otherwise, naming the examples and the first op that gave such a number
     */
    Update update(int step, List<List<TextPair>> microBatches) {
        double loss = 0;
        long tokens = 0;
        noLoss = null;
        model.parameters().clearGradients();
        for (int i = 0; i < microBatches.size(); i++) {
            T5Batch batch = batch(microBatches.get(i));
            loss += pass(batch, noise(step, i), microBatches.size(), null) / microBatches.size();
            tokens += batch.source().ids().length + batch.labels().length;
        }
        try (Scope scope = new Scope(model.device())) {
            List<Tensor> gradients = model.parameters().gradients();
            if (lossScale != null) {
                gradients.forEach(gradient -> Scale.inPlace(gradient, lossScale.inverse()));
            }
            Tensor normTensor = noLoss == null ? GradNorm.apply(scope, gradients) : null;
            double rate = schedule.rate(step);
            double norm = noLoss == null ? normTensor.toFloats()[0] : Double.NaN;
            boolean overflow = lossScale != null && Double.isFinite(loss) && !Double.isFinite(norm);
            boolean bad = !overflow && !usable(loss, norm);
            String fault = bad ? fault(step, microBatches, loss, norm) : null;
            if (!bad && !overflow) {
                optimizer.step(rate, normTensor, config.maxGradNorm);
            }
            if (lossScale != null) {
                lossScale = lossScale.after(Double.isFinite(norm));
            }
            return new Update(loss, norm, rate, tokens, routing, fault);
        }
    }

    /** The number that the noise of a micro-batch is drawn by. */
    private int noise(int step, int microBatch) {
        return step * config.gradientAccumulationSteps + microBatch;
    }

    private boolean usable(double loss, double norm) {
        boolean usable = Double.isFinite(loss) && Double.isFinite(norm)
                && (config.maxUsableGradNorm == null || norm <= config.maxUsableGradNorm);
        badInARow = usable ? 0 : badInARow + 1;
        return usable;
    }

    /** Looks for what is behind a bad step, by its passes run again under watch; ends the run unless it is to skip. */
    private String fault(int step, List<List<TextPair>> microBatches, double loss, double norm) {
        String what = !Double.isFinite(loss)
                ? "a loss of " + loss
                : "gradients of norm " + norm + (Double.isFinite(norm)
                        ? ", above the max_usable_grad_norm of " + config.maxUsableGradNorm
                        : "");
        String origin = FaultFinder.inWeights(model.parameters());
        List<TextPair> examples = microBatches.stream().flatMap(List::stream).toList();
        if (origin == null && Double.isFinite(loss) && Double.isFinite(norm)) {
            origin = FaultFinder.largestGradient(model.parameters());
        }
        for (int i = 0; i < microBatches.size() && origin == null; i++) {
            FaultFinder finder = new FaultFinder();
            model.parameters().clearGradients();
            pass(batch(microBatches.get(i)), noise(step, i), microBatches.size(), finder);
            if (finder.found() != null) {
                origin = finder.found();
                examples = microBatches.get(i);
            }
        }
        if (origin == null) {
            origin = noLoss != null ? noLoss : "no single micro-batch gives such a number, only all together";
        }
        String fault = "step " + (step + 1) + " has " + what + " on the examples "
                + examples.stream().map(TextPair::id).collect(Collectors.joining(", ")) + ": " + origin;
        if (config.onBadStep == OnBadStep.STOP) {
            throw new UserException(fault + REMEDY + ", or on_bad_step: skip" + precisionRemedy());
        }
        if (badInARow >= MOST_BAD_IN_A_ROW) {
            throw new UserException(fault + "; this was the last of " + badInARow + " bad steps in a row" + REMEDY
                    + precisionRemedy());
        }
        return fault;
    }

    private String precisionRemedy() {
        return lossScale == null ? "" : ", or precision bf16, whose range is that of fp32";
    }

    /**
     * The loss; NaN where a router could make no probabilities of what it got.
     *
     * @param watch sees the ops; null for nobody
     */
    private double pass(T5Batch batch, int noise, int passes, TapeWatch watch) {
        try (Scope scope = new Scope(model.device())) {
            Tape tape = Tape.training(scope, config.seed, noise).watchedBy(watch);
            T5Model.Output output = model.forward(tape, batch);
            tape.backward(output.loss(), (lossScale == null ? 1 : lossScale.scale()) / passes);
            routing = output.routing().figures();
            return output.loss().toFloats()[0];
        } catch (ArithmeticException e) {
            noLoss = e.getMessage();
            return Double.NaN;
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
