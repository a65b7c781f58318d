package io.mixt5.train.run;

import io.mixt5.engine.ReadBack;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Makes one update of a model from some micro-batches. Deterministic: equal arguments, equal weights. */
final class Trainer {
    /** So many bad steps in a row are no bad luck with the data. */
    static final int MOST_BAD_IN_A_ROW = 20;

    private final T5Model model;
    private final Optimizer optimizer;
    private final Schedule schedule;
    private final TrainConfig config;
    /** Null where the precision needs none. */
    private LossScale lossScale;
    private int badInARow;

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
     * <p>Nothing is read from the device before the optimiser's work has been started there, which by itself leaves
     * everything as it is where the gradients cannot be used.
     *
     * @throws UserException after a bad step otherwise, naming the examples and the first op that gave such a number
     */
    Update update(int step, List<List<TextPair>> microBatches) {
        try {
            return attempt(step, microBatches);
        } catch (ArithmeticException e) {
            // A router has got numbers of which it can make no probabilities.
            return judged(step, microBatches,
                    new Update(Double.NaN, Double.NaN, schedule.rate(step), 0, List.of(), e.getMessage()));
        }
    }

    private Update attempt(int step, List<List<TextPair>> microBatches) {
        model.parameters().clearGradients();
        try (Scope scope = new Scope(model.device())) {
            List<Tensor> results = new ArrayList<>();
            long tokens = 0;
            for (int i = 0; i < microBatches.size() - 1; i++) {
                try (Scope inner = scope.child()) {
                    T5Batch batch = batch(microBatches.get(i));
                    results.add(inner.keep(pass(inner, batch, noise(step, i), microBatches.size(), null).loss()));
                    tokens += tokens(batch);
                }
            }
            // What the last pass leaves lives on until its routing has been read.
            T5Batch batch = batch(microBatches.getLast());
            T5Model.Output last = pass(scope, batch, noise(step, microBatches.size() - 1), microBatches.size(), null);
            results.add(last.loss());
            tokens += tokens(batch);
            List<Tensor> gradients = model.parameters().gradients();
            if (lossScale != null) {
                gradients.forEach(gradient -> Scale.inPlace(gradient, lossScale.inverse()));
            }
            Tensor norm = GradNorm.apply(scope, gradients);
            results.add(norm);
            double rate = schedule.rate(step);
            optimizer.step(rate, norm, config.maxGradNorm, mostUsable());
            List<double[]> read = ReadBack.of(results);
            double norms = read.removeLast()[0];
            double loss = read.stream().mapToDouble(result -> result[0] / read.size()).reduce(0, Double::sum);
            return judged(step, microBatches, new Update(loss, norms, rate, tokens, last.routing().figures(), null));
        }
    }

    private double mostUsable() {
        return config.maxUsableGradNorm == null ? Double.POSITIVE_INFINITY : config.maxUsableGradNorm;
    }

    /** Counts the step, and looks for what is behind it if it is a bad one. */
    private Update judged(int step, List<List<TextPair>> microBatches, Update update) {
        boolean finite = Double.isFinite(update.norm);
        boolean overflow = lossScale != null && Double.isFinite(update.loss) && !finite;
        boolean used = finite && update.norm <= mostUsable();
        String fault = null;
        if (!overflow) {
            badInARow = used && Double.isFinite(update.loss) ? 0 : badInARow + 1;
            if (badInARow > 0) {
                fault = fault(step, microBatches, update);
                refuse(fault, used);
            }
        }
        if (lossScale != null) {
            lossScale = lossScale.after(finite);
        }
        return new Update(update.loss, update.norm, update.learningRate, update.tokens, update.routing, fault);
    }

    /** Ends the run after a bad step, unless it is to be skipped and could be. */
    private void refuse(String fault, boolean used) {
        String remedy = "; try a smaller learning_rate or a longer warm-up"
                + (lossScale == null ? "" : ", or precision bf16, whose range is that of fp32");
        if (used) {
            throw new UserException(fault + remedy);
        }
        if (config.onBadStep == OnBadStep.STOP) {
            throw new UserException(fault + remedy + ", or on_bad_step: skip");
        }
        if (badInARow >= MOST_BAD_IN_A_ROW) {
            throw new UserException(fault + "; this was the last of " + badInARow + " bad steps in a row" + remedy);
        }
    }

    /** What is wrong with a step, on which examples, and where it comes from, found by its passes run again under watch. */
    private String fault(int step, List<List<TextPair>> microBatches, Update update) {
        boolean numbers = Double.isFinite(update.loss) && Double.isFinite(update.norm);
        String what = !Double.isFinite(update.loss) ? "a loss of " + update.loss : "gradients of norm " + update.norm;
        String limit = numbers ? ", above the max_usable_grad_norm of " + config.maxUsableGradNorm + "," : "";
        String origin = FaultFinder.inWeights(model.parameters());
        if (origin == null && numbers) {
            origin = FaultFinder.largestGradient(model.parameters());
        }
        List<TextPair> examples = microBatches.stream().flatMap(List::stream).toList();
        for (int i = 0; i < microBatches.size() && origin == null; i++) {
            origin = faultOf(batch(microBatches.get(i)), noise(step, i), microBatches.size());
            examples = origin == null ? examples : microBatches.get(i);
        }
        if (origin == null) {
            origin = update.fault != null
                    ? update.fault
                    : "no micro-batch alone gives such a number, only all together";
        }
        return "step " + (step + 1) + " has " + what + limit + " on the examples "
                + examples.stream().map(TextPair::id).collect(Collectors.joining(", ")) + ": " + origin;
    }

    private String faultOf(T5Batch batch, int noise, int passes) {
        FaultFinder finder = new FaultFinder();
        model.parameters().clearGradients();
        try (Scope scope = new Scope(model.device())) {
            pass(scope, batch, noise, passes, finder);
        } catch (ArithmeticException e) {
            // The router's, which comes behind the op that is looked for.
            return finder.found();
        }
        return finder.found();
    }

    /** The number that the noise of a micro-batch is drawn by. */
    private int noise(int step, int microBatch) {
        return step * config.gradientAccumulationSteps + microBatch;
    }

    private static long tokens(T5Batch batch) {
        return batch.source().ids().length + batch.labels().length;
    }

    /** @param watch sees the ops; null for nobody */
    private T5Model.Output pass(Scope scope, T5Batch batch, int noise, int passes, TapeWatch watch) {
        Tape tape = Tape.training(scope, config.seed, noise).watchedBy(watch);
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
