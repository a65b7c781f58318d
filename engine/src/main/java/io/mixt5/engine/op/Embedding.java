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
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Row i of y is row ids[i] of the table. */
public final class Embedding implements Op {
    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** y [N, D] = table [V, D] at ids [N]. */
        void forward(Tensor table, Tensor ids, Tensor y);

        /**
         * Adds each row of dy to its row of the table's gradient, in the order of the rows, so that sums are
         * repeatable.
         */
        void backward(Tensor ids, Tensor dy, Target dtable);
    }

    /** Looks up ids (I32 [N], each in [0, V), which the caller has checked) in the table [V, D]. */
    public static Tensor apply(Tape tape, Tensor table, Tensor ids) {
        Checks.shapes(table.shape().rank() == 2 && ids.shape().rank() == 1, "embedding", "table [V, D] and ids [N]",
                table, ids);
        Checks.ints("embedding", ids);
        Tensor y = tape.allocate(table.dtype(), Shape.of(ids.count(), table.shape().dim(1)), "embedding");
        Kernel kernel = tape.kernel(Kernel.class, table.dtype());
        kernel.forward(table, ids, y);
        if (tape.tracks(table)) {
            tape.record("embedding", y, gradients -> kernel.backward(ids, gradients.of(y), gradients.addTo(table)));
        }
        return y;
    }

    @Override
    public String name() {
        return "embedding";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        int[] ids = new int[s.tokens()];
        Arrays.setAll(ids, i -> Integer.remainderUnsigned(Philox.bits(5, 1, 0, i), s.vocabulary()));
        OpCase work = OpCase.named("embedding").input("table", s.vocabulary(), s.width()).ints("ids", ids)
                .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(1))));
        long table = 4L * s.vocabulary() * s.width();
        return List.of(TimedCase.streaming(work, 2 * s.stream(), s.stream() + table));
    }

    @Override
    public List<OpCase> cases() {
        return List.of(run("repeated ids", 13, 3, 1, 3, 3, 0, 10, 1), run("one id", 5, 2),
                run("wide rows", 70, 4, 4, 9),
                run("padding", 130, IntStream.range(0, 350).map(i -> i % 9 == 4 ? i % 11 : 6).toArray()));
    }

    private static OpCase run(String name, long width, int... ids) {
        return OpCase.named(name).input("table", 11, width).ints("ids", ids)
                .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(1))));
    }
}
