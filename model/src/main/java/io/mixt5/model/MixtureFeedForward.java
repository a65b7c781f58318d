package io.mixt5.model;

import io.mixt5.engine.DType;
import io.mixt5.engine.Jitter;
import io.mixt5.engine.Parameter;
import io.mixt5.engine.RandomStream;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Cast;
import io.mixt5.engine.op.Combine;
import io.mixt5.engine.op.Dispatch;
import io.mixt5.engine.op.DropoutAdd;
import io.mixt5.engine.op.GatedGelu;
import io.mixt5.engine.op.GroupedLinear;
import io.mixt5.engine.op.InputJitter;
import io.mixt5.engine.op.Linear;
import io.mixt5.engine.op.Relu;
import io.mixt5.engine.op.Route;
import io.mixt5.engine.op.Routing;
import io.mixt5.model.MixtureConfig.Exploration;
import io.mixt5.model.MixtureConfig.Scope;
import java.util.ArrayList;
import java.util.List;

/**
 * A feed-forward layer of E experts, each a dense layer of its own: a router sends every token to k of them and adds their
 * results, weighted (Fedus et al., "Switch Transformers", JMLR 2022, section 2). A token that gets no place gets zeros: the
 * residual around the layer carries it.
 */
final class MixtureFeedForward implements FeedForward {
    /** Deviation of a new router's weights. */
    static final double ROUTER_DEVIATION = 0.02;

    private final String name;
    private final T5Config model;
    private final MixtureConfig config;
    private final Parameter router;
    private final List<Tensor> gates;
    private final List<Tensor> ins = new ArrayList<>();
    private final List<Tensor> outs = new ArrayList<>();

    /** @param prefix of the parameters' names, up to and with {@code layer.X.} */
    MixtureFeedForward(Parameters parameters, String prefix, T5Config model) {
        name = prefix.substring(0, prefix.length() - 1);
        config = model.mixture();
        this.model = model;
        gates = model.gated() ? new ArrayList<>() : null;
        router = parameters.create(prefix + "gate.weight", Shape.of(config.numLocalExperts, model.dModel),
                ROUTER_DEVIATION);
        for (int e = 0; e < config.numLocalExperts; e++) {
            String expert = prefix + "experts." + e + ".";
            if (gates != null) {
                gates.add(FeedForward.in(parameters, expert + "wi_0.weight", model).value());
            }
            ins.add(FeedForward.in(parameters, expert + (model.gated() ? "wi_1.weight" : "wi.weight"), model).value());
            outs.add(FeedForward.out(parameters, expert + "wo.weight", model).value());
        }
    }

    @Override
    public Tensor apply(Tape tape, Tensor x, Tokens tokens) {
        DType type = x.dtype();
        Tensor noisy = explore(tape, Cast.apply(tape, x, type.accumulator()));
        RandomStream sampling = config.explores() == Exploration.SAMPLE_SOFTMAX ? tape.randomStream() : null;
        Routing routing = route(tape, Linear.apply(tape, noisy, router.value()), tokens, sampling);
        if (tokens.trace() != null) {
            tokens.trace().add(tape, name, routing);
        }
        Tensor rows = Dispatch.apply(tape, config.explorationScope == Scope.LAYER ? Cast.apply(tape, noisy, type) : x,
                routing);
        Tensor up = project(tape, rows, ins, routing);
        float dropout = (float) (config.expertDropoutRate == null ? model.dropoutRate : config.expertDropoutRate);
        Tensor hidden = gates == null
                ? Relu.apply(tape, up, tape.dropout(dropout))
                : GatedGelu.apply(tape, project(tape, rows, gates, routing), up, tape.dropout(dropout));
        return Combine.apply(tape, project(tape, hidden, outs, routing), routing);
    }

    /** Each expert's rows of x by its own weight. */
    private static Tensor project(Tape tape, Tensor x, List<Tensor> weights, Routing routing) {
        List<Tensor> cast = weights.stream().map(weight -> tape.cast(weight, x.dtype())).toList();
        return GroupedLinear.apply(tape, x, cast, routing.offsets());
    }

    /** What the router sees, in its own F32: x itself unless exploring in training. */
    private Tensor explore(Tape tape, Tensor x) {
        return switch (config.explores()) {
            case ARGMAX, SAMPLE_SOFTMAX -> x;
            case INPUT_DROPOUT -> DropoutAdd.dropout(tape, x, tape.dropout((float) model.dropoutRate));
            case INPUT_JITTER -> {
                Jitter jitter = tape.jitter((float) config.jitter());
                yield jitter.active() ? InputJitter.apply(tape, x, jitter) : x;
            }
        };
    }

    private Routing route(Tape tape, Tensor logits, Tokens tokens, RandomStream sampling) {
        try {
            return Route.apply(tape, logits, tokens.valid(), config.spec(tape.training(), tokens.lengths(), sampling));
        } catch (ArithmeticException e) {
            throw new ArithmeticException("the router of " + name + " failed: " + e.getMessage());
        }
    }
}
