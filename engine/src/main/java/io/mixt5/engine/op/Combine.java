package io.mixt5.engine.op;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import java.util.List;

/**
 * Brings the experts' results back to their tokens: y_n = sum_s weights[n, s] x[slots[n, s]], in the order of the
 * choices. An entry without a place adds nothing.
 */
public final class Combine implements Op {
    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** y [N, D] from x [R, D], weights [N, k] in the accumulator type and slots (I32 [N, k]). */
        void forward(Tensor x, Tensor weights, Tensor slots, Tensor y);

        /**
         * Gradients of x and of the weights; either target may be null. Rows of x at which {@code tokens} (I32 [R]) is
         * negative get zeros, as do the weights of entries without a place.
         */
        void backward(Tensor dy, Tensor x, Tensor weights, Tensor slots, Tensor tokens, Target dx, Target dweights);
    }

    /** The tokens' results [N, D] from the rows x [R, D]. */
    public static Tensor apply(Tape tape, Tensor x, Routing routing) {
        Tensor weights = routing.weights();
        Tensor slots = routing.slots();
        Tensor tokens = routing.tokens();
        Checks.shapes(x.shape().rank() == 2 && x.shape().rows() == tokens.count(), "combine",
                "x [R, D] and a routing to R rows", x, tokens);
        Checks.sameFloats("combine", x);
        Checks.shapes(weights.dtype() == x.dtype().accumulator(), "combine", "weights in x's accumulator type", x,
                weights);
        Tensor y = tape.allocate(x.dtype(), slots.shape().withColumns(x.shape().columns()), "combine");
        Kernel kernel = tape.kernel(Kernel.class, x.dtype());
        kernel.forward(x, weights, slots, y);
        if (tape.tracks(x, weights)) {
            tape.record("combine", y, gradients -> kernel.backward(gradients.of(y), x, weights, slots, tokens,
                    gradients.into(x), gradients.into(weights)));
        }
        return y;
    }

    @Override
    public String name() {
        return "combine";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        int rows = s.tokens() * s.topK();
        int[] slots = RoutedCases.slots(s.tokens(), s.topK(), s.experts());
        OpCase work = OpCase.named("combine").input("x", rows, s.width()).input("weights", s.tokens(), s.topK())
                .ints("tokens", RoutedCases.tokens(slots, s.topK())).indices("slots", slots, s.tokens(), s.topK())
                .run((tape, in) -> List.of(
                        apply(tape, in.get(0), RoutedCases.routing(in.get(1), in.get(3), in.get(2)))));
        long routed = 4L * rows * s.width();
        return List.of(TimedCase.streaming(work, s.stream() + routed, s.stream() + 2 * routed));
    }

    @Override
    public List<OpCase> cases() {
        return RoutedCases.of((name, tokens, experts, valid, spec) -> RoutedCases.run(
                OpCase.named(name).input("x", spec.rows(tokens, experts), 21).input("logits", tokens, experts), valid,
                (tape, in) -> List.of(apply(tape, in.get(0), RoutedCases.route(tape, in, spec)))));
    }
}
