package io.mixt5.engine.op;

import io.mixt5.engine.DType;
import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Shape;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import java.util.List;

/** The column of each row's largest element; the lowest one wins a tie. No gradient. */
public final class ArgMax implements Op {
    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** Writes indices (I32 [N]) for x [N, V], V >= 1. */
        void forward(Tensor x, Tensor indices);
    }

    /** The I32 [N] indices for x [N, V]. */
    public static Tensor apply(Tape tape, Tensor x) {
        Checks.shapes(x.shape().columns() > 0, "argmax", "at least one column", x);
        Tensor indices = tape.allocate(DType.I32, Shape.of(x.shape().rows()), "argmax");
        tape.kernel(Kernel.class, x.dtype()).forward(x, indices);
        return indices;
    }

    @Override
    public String name() {
        return "argmax";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        OpCase.Fill fill = (stream, index) -> io.mixt5.engine.Philox.normal(3, stream, 0, index);
        return List.of(TimedCase.streaming(OpCase.named("argmax").constant("x", fill, s.targets(), s.vocabulary())
                .run((tape, in) -> List.of(apply(tape, in.get(0)))), 4L * s.targets() * s.vocabulary(), 0));
    }

    @Override
    public List<OpCase> cases() {
        OpCase.Fill ties = (stream, index) -> index * 7 % 5;
        return List.of(
                OpCase.named("ties").constant("x", ties, 6, 23).run((tape, in) -> List.of(apply(tape, in.get(0)))),
                OpCase.named("wide").constant("x", (s, i) -> io.mixt5.engine.Philox.normal(3, s, 0, i), 3, 1031)
                        .run((tape, in) -> List.of(apply(tape, in.get(0)))),
                OpCase.named("all negative").constant("x", (s, i) -> -1 - i % 11, 2, 37)
                        .run((tape, in) -> List.of(apply(tape, in.get(0)))));
    }
}
