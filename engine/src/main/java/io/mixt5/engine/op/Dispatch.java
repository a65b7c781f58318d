package io.mixt5.engine.op;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Philox;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import java.util.List;

/** Copies each token to the rows that a {@link Routing} gives it, so that the rows of an expert follow each other. */
public final class Dispatch implements Op {
    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** Row r of y [R, D] is row tokens[r] of x [N, D], or zeros where tokens[r] is negative. */
        void forward(Tensor x, Tensor tokens, Tensor y);

        /**
         * Row n of dx is the sum of the rows slots[n] of dy, in the order of the choices, without the negative ones.
         */
        void backward(Tensor dy, Tensor slots, Target dx);
    }

    /** The rows [R, D] for the tokens x [N, D]; those not in use are zeros. */
    public static Tensor apply(Tape tape, Tensor x, Routing routing) {
        Tensor tokens = routing.tokens();
        Tensor slots = routing.slots();
        Checks.shapes(x.shape().rank() == 2 && x.shape().rows() == slots.shape().rows(), "dispatch",
                "x [N, D] and a routing of N tokens", x, slots);
        Checks.sameFloats("dispatch", x);
        Tensor y = tape.allocate(x.dtype(), Shape.of(tokens.count(), x.shape().columns()), "dispatch");
        Kernel kernel = tape.kernel(Kernel.class, x.dtype());
        kernel.forward(x, tokens, y);
        if (tape.tracks(x)) {
            tape.record("dispatch", y, gradients -> kernel.backward(gradients.of(y), slots, gradients.into(x)));
        }
        return y;
    }

    @Override
    public String name() {
        return "dispatch";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        int rows = s.tokens() * s.topK();
        int[] slots = RoutedCases.slots(s.tokens(), s.topK(), s.experts());
        OpCase work = OpCase.named("dispatch").input("x", s.tokens(), s.width())
                .ints("tokens", RoutedCases.tokens(slots, s.topK())).indices("slots", slots, s.tokens(), s.topK())
                .run((tape, in) -> List.of(apply(tape, in.get(0), RoutedCases.routing(null, in.get(2), in.get(1)))));
        return List
                .of(TimedCase.streaming(work, s.stream() + 4L * rows * s.width(), s.stream() + 4L * rows * s.width()));
    }

    @Override
    public List<OpCase> cases() {
        OpCase.Fill fill = (stream, index) -> Philox.normal(9, stream, 0, index);
        return RoutedCases.of((name, tokens, experts, valid, spec) -> RoutedCases.run(
                OpCase.named(name).input("x", tokens, 21).constant("logits", fill, tokens, experts), valid,
                (tape, in) -> List.of(apply(tape, in.get(0), RoutedCases.route(tape, in, spec)))));
    }
}
