package io.mixt5.engine.op;

import io.mixt5.engine.Op;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import java.util.Arrays;
import java.util.List;

/** Copies row i of the source to row rows[i] of the target, in place: how new keys enter the cache. No gradient. */
public final class WriteRows implements Op {
    /** What a backend implements. */
    public interface Kernel extends io.mixt5.engine.Kernel {
        /** target[rows[i]] = source[i]; rows are distinct. */
        void write(Tensor source, Tensor rows, Tensor target);
    }

    /** Writes source [n, D] into target [R, D] at rows (I32 [n], distinct, each in [0, R)); returns the target. */
    public static Tensor apply(Tape tape, Tensor source, Tensor rows, Tensor target) {
        Checks.shapes(source.shape().columns() == target.shape().columns() && rows.count() == source.shape().rows(),
                "write_rows",
                "source [n, D], rows [n] and target [R, D]", source, rows, target);
        Checks.sameFloats("write_rows", source, target);
        Checks.ints("write_rows", rows);
        tape.kernel(Kernel.class, source.dtype()).write(source, rows, target);
        return target;
    }

    @Override
    public String name() {
        return "write_rows";
    }

    @Override
    public Class<? extends io.mixt5.engine.Kernel> kernelType() {
        return Kernel.class;
    }

    @Override
    public List<TimedCase> timed(Sizes s) {
        OpCase.Fill fill = (stream, index) -> stream * 100 + index;
        int[] rows = new int[s.tokens()];
        Arrays.setAll(rows, i -> s.tokens() - 1 - i);
        return List.of(TimedCase.streaming(OpCase.named("write_rows").constant("source", fill, s.tokens(), s.width())
                .ints("rows", rows).constant("target", fill, s.tokens(), s.width())
                .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(1), in.get(2)))), 2 * s.stream(), 0));
    }

    @Override
    public List<OpCase> cases() {
        OpCase.Fill fill = (stream, index) -> stream * 100 + index;
        return List.of(OpCase.named("some rows").constant("source", fill, 3, 13).ints("rows", 4, 0, 6)
                .constant("target", fill, 7, 13)
                .run((tape, in) -> List.of(apply(tape, in.get(0), in.get(1), in.get(2)))));
    }
}
