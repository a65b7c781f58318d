package io.mixt5.engine.op;

import io.mixt5.engine.OpCase;
import io.mixt5.engine.Philox;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Route.Gate;
import io.mixt5.engine.op.Route.Policy;
import io.mixt5.engine.op.Route.Spec;
import java.util.Arrays;
import java.util.List;

/** The routings on which the ops that follow one are tested. */
final class RoutedCases {
    /** Makes the case of an op. */
    @FunctionalInterface
    interface Maker {
        /** @param valid as {@link Route} takes it, or null */
        OpCase make(String name, int tokens, int experts, int[] valid, Spec spec);
    }

    private RoutedCases() {
    }

    /** One case for each routing. */
    static List<OpCase> of(Maker maker) {
        Spec pair = Spec.dropless(2, Gate.RENORMALIZED);
        return List.of(maker.make("top-1", 13, 5, null, Spec.dropless(1, Gate.RAW)),
                maker.make("top-2", 9, 4, null, pair), maker.make("top-8", 5, 11, null, Spec.dropless(8, Gate.RAW)),
                maker.make("drops", 17, 4, null, limited(Policy.CAPACITY, 2, 0.6)),
                maker.make("no token left behind", 12, 3, null, limited(Policy.NO_TOKEN_LEFT_BEHIND, 1, 1)),
                maker.make("padding", 6, 4, new int[]{0, 1, 1, 0, 1, 0}, pair),
                maker.make("nothing but padding", 2, 4, new int[]{0, 0}, pair),
                maker.make("no token", 0, 4, null, pair),
                maker.make("one token", 1, 4, null, pair), maker.make("many tokens", 1100, 7, null, pair));
    }

    /** The case with these inputs, the router's logits being the last, and which tokens are padding, if any. */
    static OpCase run(OpCase.Builder inputs, int[] valid, OpCase.Body body) {
        return (valid == null ? inputs : inputs.ints("valid", valid)).run(body);
    }

    /** Routes by the logits, input 1, and by which tokens are padding, input 2 if there is one. */
    static Routing route(Tape tape, List<Tensor> in, Spec spec) {
        Tensor logits = Cast.apply(tape, in.get(1), in.get(1).dtype().accumulator());
        return Route.apply(tape, logits, in.size() > 2 ? in.get(2) : null, spec);
    }

    private static Spec limited(Policy policy, int topK, double factor) {
        return new Spec(topK, Gate.RAW, policy, factor, 0, null, null);
    }

    /** A row for each of {@code tokens * topK} entries that choose among the experts at random, those of an expert in order. */
    static int[] slots(int tokens, int topK, int experts) {
        int[] chosen = new int[tokens * topK];
        int[] next = new int[experts + 1];
        for (int entry = 0; entry < chosen.length; entry++) {
            int first = Integer.remainderUnsigned(Philox.bits(8, 1, 0, entry / topK), experts);
            chosen[entry] = (first + entry % topK) % experts;
            next[chosen[entry] + 1]++;
        }
        for (int e = 0; e < experts; e++) {
            next[e + 1] += next[e];
        }
        int[] slots = new int[chosen.length];
        Arrays.setAll(slots, entry -> next[chosen[entry]]++);
        return slots;
    }

    /** The token in each row, from the row of each entry. */
    static int[] tokens(int[] slots, int topK) {
        int[] tokens = new int[slots.length];
        for (int entry = 0; entry < slots.length; entry++) {
            tokens[slots[entry]] = entry / topK;
        }
        return tokens;
    }

    /** A routing for the ops that only follow it, which do not look at how it came about. */
    static Routing routing(Tensor weights, Tensor slots, Tensor tokens) {
        return new Routing(weights, null, slots, tokens, null, null, null, null, null, null, null);
    }
}
