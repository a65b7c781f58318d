package io.mixt5.engine.op;

import io.mixt5.engine.DType;
import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Philox;
import io.mixt5.engine.RandomStream;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import io.mixt5.engine.UserException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * The router: from its logits to the places of all tokens, their gate values and its losses (Fedus et al., "Switch
 * Transformers", JMLR 2022, section 2; Zoph et al., "ST-MoE", 2022, section 3.1, for the z-loss). All of it in F32,
 * whatever the type of the model.
 *
 * <p>In order: the softmax over the E experts; k choices a token, by logit, which orders as probabilities do but
 * without their ties by rounding, the lowest index winning a tie, or drawn from the softmax; places in the experts;
 * gate values. Gradients flow through the probabilities alone: choices, places and shares are constants.
 */
public final class Route implements Op {
    /** What the results of a token's experts are multiplied by, p being the probability of an expert. */
    public enum Gate {
        /** p, as Switch does. */
        RAW,
        /** p / sum of the p of the token's k experts, as MixT5 does; for k >= 2. */
        RENORMALIZED,
        /**
         * 1, with the gradient of p / stopgrad(p): d logit_j = (delta_ej - p_j) d weight; for k = 1. An upcycled model
         * equals its dense parent, and yet its router learns.
         */
        PRESERVING
    }

    /**
     * What happens when more entries choose an expert than it has places. They are served in the order of their tokens,
     * all first choices before all second ones, and so on.
     */
    public enum Policy {
        /** An expert has as many places as are needed. */
        DROPLESS,
        /** An expert has C places in each group; who comes later is dropped. */
        CAPACITY,
        /**
         * As {@link #CAPACITY}, but in rounds, each in the same order, every entry without a place tries the best
         * expert that its token has not tried yet, until all have a place or no expert is left to try (Switch
         * Transformers, appendix B). Its gate value is that of the expert where it ends.
         */
        NO_TOKEN_LEFT_BEHIND
    }

    /**
     * How to route.
     *
     * @param topK experts a token, k, in [1, 8]
     * @param gate the gate values
     * @param policy what to do about full experts
     * @param capacityFactor an expert's places relative to an even share, > 0; without meaning when dropless
     * @param minCapacity the fewest places an expert has, >= 0; without meaning when dropless
     * @param groups numbers of tokens of the groups whose tokens compete for places, one group after another; null when
     *        all are one
     * @param sampling draws the choices from the softmax, without repetition, entry (n, s) by number n k + s; null to
     *        take the most probable
     */
    public record Spec(int topK, Gate gate, Policy policy, double capacityFactor, int minCapacity, int[] groups,
            RandomStream sampling) {
        /** Refuses what cannot be or cannot learn. */
        public Spec {
            if (topK < 1 || topK > 8) {
                throw new UserException("A token has 1 to 8 experts, not " + topK + ".");
            }
            if (gate == Gate.RENORMALIZED && topK == 1) {
                throw new UserException("The gate 'renormalized' with one expert per token is always 1, so that the"
                        + " router would learn nothing; use 'raw' or 'preserving', or two experts per token.");
            }
            if (gate == Gate.PRESERVING && topK > 1) {
                throw new UserException("The gate 'preserving' is for one expert per token, not for " + topK
                        + "; use 'renormalized', which preserves too.");
            }
            if (policy != Policy.DROPLESS && !(capacityFactor > 0 && capacityFactor < Double.POSITIVE_INFINITY
                    && minCapacity >= 0)) {
                throw new UserException("A capacity needs a factor above 0 and a minimum of 0 or more, not "
                        + capacityFactor + " and " + minCapacity + ".");
            }
        }

        /** Every token to its most probable experts. */
        public static Spec dropless(int topK, Gate gate) {
            return new Spec(topK, gate, Policy.DROPLESS, 0, 0, null, null);
        }

        /** The places of each of {@code experts} in a group with {@code tokens} that are not padding. */
        public int capacity(int tokens, int experts) {
            if (policy == Policy.DROPLESS) {
                return tokens;
            }
            return Math.max(minCapacity, (int) Math.ceil(capacityFactor * ((long) topK * tokens) / experts));
        }

        /** Numbers of tokens of all groups, of {@code tokens} in total. */
        public int[] groupsOf(long tokens) {
            return groups == null ? new int[]{Math.toIntExact(tokens)} : groups;
        }

        /** Most rows that {@code tokens} can take. */
        long rows(long tokens, int experts) {
            long rows = 0;
            for (int group : groupsOf(tokens)) {
                rows += Math.min((long) topK * group, (long) experts * capacity(group, experts));
            }
            return rows;
        }
    }

    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /**
         * Fills every tensor of {@code routing}, from logits [N, E] and valid (I32 [N], 0 for padding; null: no
         * padding). The logits of padding are not looked at.
         *
         * @throws ArithmeticException when the log-sum-exp of a token's logits is not finite, naming the token
         */
        void forward(Tensor logits, Tensor valid, Spec spec, Routing routing);

        /**
         * The gradient of the logits, zeros for padding, from those of the weights, the balance loss and the z-loss.
         */
        void backward(Routing routing, Spec spec, Tensor dweights, Tensor dbalance, Tensor dz, Target dlogits);
    }

    /**
     * Routes N tokens.
     *
     * @param logits [N, E] the router's, F32 (or F64)
     * @param valid I32 [N], 0 for tokens that are padding: they are not routed, take no place and count in no figure.
     *        null: none is
     * @throws ArithmeticException when a token's logits are NaN or infinite, so that they have no softmax; the message
     *         is to be completed by the layer's name
     */
    public static Routing apply(Tape tape, Tensor logits, Tensor valid, Spec spec) {
        long tokens = logits.shape().rows();
        int experts = Math.toIntExact(logits.shape().columns());
        Checks.shapes(logits.shape().rank() == 2 && experts >= spec.topK, "route",
                "logits [N, E] with E >= " + spec.topK, logits);
        Checks.shapes(logits.dtype() == DType.F32 || logits.dtype() == DType.F64, "route",
                "F32 logits, since ties among rounded probabilities send tokens astray; cast before the router",
                logits);
        Checks.shapes(valid == null || valid.dtype() == DType.I32 && valid.count() == tokens, "route",
                "valid I32 [N]", logits, valid);
        Checks.shapes(Arrays.stream(spec.groupsOf(tokens)).asLongStream().sum() == tokens, "route",
                "groups of N tokens in total", logits);
        Routing routing = allocate(tape, logits.dtype(), tokens, experts, spec);
        Kernel kernel = tape.kernel(Kernel.class, logits.dtype());
        kernel.forward(logits, valid, spec, routing);
        if (tape.tracks(logits)) {
            tape.record("route", new Tensor[]{routing.weights(), routing.balance(), routing.z()},
                    gradients -> kernel.backward(routing, spec, gradients.of(routing.weights()),
                            gradients.of(routing.balance()), gradients.of(routing.z()), gradients.into(logits)),
                    routing.experts(), routing.slots(), routing.tokens(), routing.probabilities(), routing.logSumExp());
        }
        return routing;
    }

    private static Routing allocate(Tape tape, DType dtype, long tokens, int experts, Spec spec) {
        Shape entries = Shape.of(tokens, spec.topK);
        return new Routing(tape.allocate(dtype, entries, "route.weights"),
                tape.allocate(DType.I32, entries, "route.experts"), tape.allocate(DType.I32, entries, "route.slots"),
                tape.allocate(DType.I32, Shape.of(spec.rows(tokens, experts)), "route.tokens"),
                tape.allocate(DType.I32, Shape.of(experts + 1), "route.offsets"),
                tape.allocate(DType.I32, Shape.of(experts), "route.counts"),
                tape.allocate(dtype, Shape.of(1), "route.balance"), tape.allocate(dtype, Shape.of(1), "route.z"),
                tape.allocate(dtype, Shape.of(Routing.STATS), "route.stats"),
                tape.allocate(dtype, Shape.of(tokens, experts), "route.probabilities"),
                tape.allocate(dtype, Shape.of(tokens), "route.log_sum_exp"));
    }

    @Override
    public String name() {
        return "route";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        return List.of(timed("route", s.experts(), s), timed("route_64_experts", 64, s));
    }

    /** Four times the tokens of others: a router's numbers are few beside the states that it routes. */
    private static TimedCase timed(String name, int experts, Sizes s) {
        long tokens = 4L * s.tokens();
        Spec spec = Spec.dropless(s.topK(), s.topK() == 1 ? Gate.RAW : Gate.RENORMALIZED);
        long probabilities = 4 * tokens * experts;
        long entries = 4 * tokens * s.topK();
        return TimedCase.streaming(run(name, spec, tokens, experts), 2 * probabilities + 4 * entries + 4 * tokens,
                2 * probabilities + 3 * entries + 4 * tokens);
    }

    @Override
    public List<OpCase> cases() {
        return Stream.of(choiceCases(), capacityCases(), paddingCases()).flatMap(List::stream).toList();
    }

    /** Choices, gates and losses, without a limit on places. */
    private static List<OpCase> choiceCases() {
        Spec raw = Spec.dropless(1, Gate.RAW);
        Spec pair = Spec.dropless(2, Gate.RENORMALIZED);
        OpCase.Fill ties = (stream, index) -> index * 7 % 3;
        OpCase.Fill shutOut = (stream, index) -> index % 5 == 2 ? Double.NEGATIVE_INFINITY : normal(stream, index);
        return List.of(run("top-1, raw", raw, 11, 5), run("top-2, raw", Spec.dropless(2, Gate.RAW), 9, 6),
                OpCase.named("top-1, preserving").input("logits", 7, 4).straightThrough()
                        .run(body(Spec.dropless(1, Gate.PRESERVING))),
                run("top-2, renormalized", pair, 13, 4),
                run("top-8", Spec.dropless(8, Gate.RENORMALIZED), 7, 19),
                run("as many choices as experts", Spec.dropless(8, Gate.RAW), 3, 8),
                run("fewer tokens than experts", pair, 3, 16), run("one token", raw, 1, 4),
                run("one expert", raw, 4, 1), run("no token", pair, 0, 4),
                run("many tokens", Spec.dropless(3, Gate.RENORMALIZED), 2100, 9),
                run("many experts", raw, 37, 131),
                OpCase.named("large logits").input("logits", 40.0, 9, 33).run(body(pair)),
                favouring("all tokens to one expert", 3, 20, raw, 9, 4),
                favouring("an expert without tokens", 1, -20, raw, 9, 4),
                OpCase.named("ties").constant("logits", ties, 7, 20).run(body(pair)),
                OpCase.named("impossible experts").constant("logits", shutOut, 6, 5)
                        .run(body(Spec.dropless(5, Gate.RAW))),
                run("drawn, top-1", drawn(1, Gate.RAW), 40, 6),
                run("drawn, top-3", drawn(3, Gate.RENORMALIZED), 33, 17));
    }

    /** Full experts, with capacities around what is needed, by batch and by sequence. */
    private static List<OpCase> capacityCases() {
        Spec least = new Spec(1, Gate.RAW, Policy.CAPACITY, 0.1, 3, null, null);
        int[] sequences = {5, 0, 1, 9};
        return List.of(run("capacity 1.0", limited(1, 1), 14, 4), run("capacity 0.5", limited(1, 0.5), 17, 4),
                run("capacity 0.5, top-2", limited(2, 0.5), 14, 4), run("least capacity", least, 20, 3),
                // Four tokens want one of four experts, which has ceil(factor) places.
                favouring("capacity exactly full", 2, 9, limited(1, 4), 4, 4),
                favouring("capacity just below, rounded up", 2, 9, limited(1, 3.01), 4, 4),
                favouring("capacity one too small", 2, 9, limited(1, 3), 4, 4),
                favouring("capacity just above", 2, 9, limited(1, 4.01), 4, 4),
                run("capacity by sequence", limited(2, 0.8, sequences), 15, 3),
                run("capacity, many tokens", limited(2, 0.9), 2100, 3),
                run("capacity, fewer tokens than experts", limited(1, 1), 3, 16),
                run("no token left behind", rerouted(1, 1), 23, 4),
                run("no token left behind, top-2", rerouted(2, 1), 15, 4),
                run("no token left behind, too little room", rerouted(2, 0.6), 15, 5),
                run("no token left behind, by sequence", rerouted(1, 1.1, sequences), 15, 3),
                favouring("no token left behind, all to one expert", 3, 20, rerouted(1, 1), 10, 4),
                OpCase.named("no token left behind, preserving").input("logits", 12, 3).straightThrough().run(body(
                        new Spec(1, Gate.PRESERVING, Policy.NO_TOKEN_LEFT_BEHIND, 1, 0, null, null))),
                run("no token left behind, drawn", new Spec(2, Gate.RAW, Policy.NO_TOKEN_LEFT_BEHIND, 1, 0, null,
                        new RandomStream(8, 2, 1)), 19, 5));
    }

    /** Padding, under every policy. */
    private static List<OpCase> paddingCases() {
        int[] valid = {1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 1, 1};
        int[] sequences = {4, 5, 3};
        return List.of(padded("padding", Spec.dropless(1, Gate.RAW), valid),
                padded("padding, capacity", limited(1, 1), valid),
                padded("padding, by sequence", limited(2, 1, sequences), valid),
                padded("padding, no token left behind", rerouted(2, 1, sequences), valid),
                padded("padding, drawn", drawn(2, Gate.RENORMALIZED), valid),
                padded("nothing but padding", limited(1, 1), 0, 0, 0));
    }

    private static OpCase run(String name, Spec spec, long tokens, long experts) {
        return OpCase.named(name).input("logits", tokens, experts).run(body(spec));
    }

    /** Adds {@code favour} to the logits of one expert. */
    private static OpCase favouring(String name, int expert, double favour, Spec spec, long tokens, long experts) {
        OpCase.Fill fill = (stream, index) -> normal(stream, index) + (index % experts == expert ? favour : 0);
        return OpCase.named(name).input("logits", fill, tokens, experts).run(body(spec));
    }

    private static OpCase padded(String name, Spec spec, int... valid) {
        return OpCase.named(name).input("logits", valid.length, 3).ints("valid", valid).run(body(spec));
    }

    private static Spec drawn(int topK, Gate gate) {
        return new Spec(topK, gate, Policy.DROPLESS, 0, 0, null, new RandomStream(3, 1, 4));
    }

    private static Spec limited(int topK, double factor, int... groups) {
        return new Spec(topK, Gate.RAW, Policy.CAPACITY, factor, 0, groups.length == 0 ? null : groups, null);
    }

    private static Spec rerouted(int topK, double factor, int... groups) {
        return new Spec(topK, Gate.RAW, Policy.NO_TOKEN_LEFT_BEHIND, factor, 0, groups.length == 0 ? null : groups,
                null);
    }

    private static OpCase.Body body(Spec spec) {
        return (tape, in) -> {
            Routing routing = apply(tape, in.get(0), in.size() > 1 ? in.get(1) : null, spec);
            return List.of(routing.weights(), routing.balance(), routing.z(), routing.experts(), routing.slots(),
                    routing.tokens(), routing.offsets(), routing.counts(), routing.stats(), routing.probabilities(),
                    routing.logSumExp());
        };
    }

    private static double normal(int stream, long index) {
        return Philox.normal(6, stream, 0, index);
    }
}
